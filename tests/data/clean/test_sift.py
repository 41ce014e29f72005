import pytest

from tests.data.clean.support import kinds, reasons, row
from tests.newswire import NEWSWIRE
from tests.newswire import rows as newswire_rows
from understudy.data.clean import Cleaning, check_available, screen, sift
from understudy.errors import DataError

ARTICLE = str(newswire_rows(NEWSWIRE / "gold.jsonl")[0]["text"])
GERMAN = "Der Rat stimmte am Dienstag dafür, die alte Brücke bis zum Frühjahr für Reparaturen zu schließen."


def test_what_is_screened_is_what_would_be_rejected_after_it_was_paid_for() -> None:
    texts = [ARTICLE, f"{ARTICLE} Yes.", "x" * 3000, "ha " * 40, "  ", GERMAN]
    cleaning = Cleaning(language="en")
    screened = screen([row(str(number), text, "pool") for number, text in enumerate(texts)], cleaning)
    expected = [None, "near-duplicate", "too long", "repeats itself", "too short", "another language"]
    assert kinds(screened) == expected
    sifted = sift([row(str(number), text) for number, text in enumerate(texts)], (), (), cleaning)
    assert kinds(sifted) == expected


def test_a_pool_text_that_nearly_stands_in_test_is_not_paid_for_and_test_rows_are_never_screened() -> None:
    stream = [row("a", "x" * 9999, "test"), row("b", ARTICLE, "test"), row("c", f"{ARTICLE} Yes.", "pool")]
    assert reasons(screen(stream, Cleaning())) == [None, None, "near-duplicate of test"]


def test_each_check_can_be_turned_off() -> None:
    off = Cleaning(max_chars=10**6, near_duplicates=None, degenerate=False)
    texts = [ARTICLE, f"{ARTICLE} Yes.", "x" * 3000, "ha " * 40, GERMAN]
    assert reasons(screen([row(str(n), text, "pool") for n, text in enumerate(texts)], off)) == [None] * 5


def test_what_the_teacher_could_not_answer_keeps_its_reason() -> None:
    unanswered = row("a", "x" * 9999)
    unanswered.meta["rejected"] = "refused by the endpoint"  # type: ignore[index]
    assert list(sift([unanswered], (), (), Cleaning(max_per_label=1))) == [unanswered]


def test_labels_are_balanced_among_what_is_left() -> None:
    texts = ["one fine text", "one fine text", "another text", "a third one here"]
    examples = [row(str(number), text, target="a") for number, text in enumerate(texts)]
    assert reasons(sift(examples, (), (), Cleaning(max_per_label=3))) == [None, "duplicate", None, None]


def test_settings_about_labels_are_refused_where_there_are_none() -> None:
    check_available(Cleaning(label_errors=True, max_per_label=5, language="en"), ["a", "b"])
    check_available(Cleaning(), [])
    with pytest.raises(DataError, match=r"clean\.max_per_label: the task's targets are not labels"):
        check_available(Cleaning(max_per_label=5), [])
    with pytest.raises(DataError, match=r"clean\.label_errors"):
        check_available(Cleaning(label_errors=True), [])
    with pytest.raises(DataError, match=r"clean\.language: 'qq'"):
        check_available(Cleaning(language="qq"), [])
