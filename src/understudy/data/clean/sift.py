"""The checks in their order: before the teacher is paid, and before anything is learned."""

from collections.abc import Collection, Iterable, Iterator

from understudy.data.clean.balance import reject_surplus
from understudy.data.clean.degenerate import reject_degenerate
from understudy.data.clean.duplicates import reject_duplicates
from understudy.data.clean.label_errors import confident_learning, reject_label_errors
from understudy.data.clean.language import language_detector, reject_other_languages
from understudy.data.clean.length import reject_by_length
from understudy.data.clean.settings import Cleaning
from understudy.errors import DataError
from understudy.example import Example


def screen(examples: Iterable[Example], cleaning: Cleaning) -> Iterator[Example]:
    """The texts, each that is not worth the teacher's time with a reason under ``rejected`` in its meta.

    Args:
        examples: Test and pool, test first. Of equal or nearly equal texts of the pool the first one counts; one that
            equals a test text does not. Test rows are the yardstick and are never left out.
        cleaning: What is left out; of labels nothing is known yet.
    """
    return _with_good_texts(examples, (), cleaning)


def sift(
    examples: Iterable[Example], held_out: Iterable[Example], gold: Iterable[Example], cleaning: Cleaning
) -> Iterator[Example]:
    """The taught examples, each that is not to be learned from with a reason under ``rejected`` in its meta.

    Args:
        examples: What the teacher annotated or wrote, one at a time; rows that are rejected already stay as they are.
        held_out: Test and validation: what is learned cannot judge.
        gold: Human-labelled examples, which help to find labels that are wrong.
        cleaning: What is left out.
    """
    rows = _with_good_texts(examples, held_out, cleaning)
    if cleaning.label_errors:
        rows = reject_label_errors(rows, gold, cleaning.seed)
    if cleaning.max_per_label is not None:
        rows = reject_surplus(rows, cleaning.max_per_label, cleaning.seed)
    return rows


def check_available(cleaning: Cleaning, labels: Collection[str]) -> None:
    """See to it that everything can be cleaned as it is asked for, before anything is spent.

    Args:
        cleaning: What is left out.
        labels: The task's labels, if it has any.

    Raises:
        DataError: The language is unknown, or labels are to be cleaned and the task has none.
        MissingExtra: A package is not installed.
    """
    if cleaning.language is not None:
        language_detector(cleaning.language)
    if cleaning.label_errors:
        confident_learning()
    about_labels = {"label_errors": cleaning.label_errors, "max_per_label": cleaning.max_per_label}
    for name, setting in about_labels.items():
        if setting and not labels:
            raise DataError(f"clean.{name}: the task's targets are not labels; expected a classification task")


def _with_good_texts(examples: Iterable[Example], held_out: Iterable[Example], cleaning: Cleaning) -> Iterator[Example]:
    rows = reject_by_length(examples, cleaning.min_chars, cleaning.max_chars)
    if cleaning.degenerate:
        rows = reject_degenerate(rows)
    if cleaning.language is not None:
        rows = reject_other_languages(rows, cleaning.language)
    return reject_duplicates(rows, held_out, cleaning.near_duplicates, cleaning.decontaminate)
