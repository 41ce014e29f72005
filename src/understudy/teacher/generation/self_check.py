"""The self-check: the teacher reads what it wrote, and says what it would answer to it."""

from collections.abc import Generator, Iterable
from dataclasses import replace
from itertools import tee
from typing import Literal

from understudy.data.clean.rejection import is_rejected, rejected
from understudy.example import Example, Target, target_to_json
from understudy.progress import Progress
from understudy.teacher.answer import replies_in
from understudy.teacher.cost.spending import usage_tokens
from understudy.teacher.generation.price import at_further_price
from understudy.teacher.teacher import Teacher
from understudy.words import target as in_words

Verdict = Literal["drop", "correct"]
"""What becomes of a text that the teacher would answer otherwise: it is left out, or takes that answer."""

_QUOTED = 200
"""Characters of an answer in a reason."""


def self_checked(
    generated: Iterable[Example], teacher: Teacher, verdict: Verdict, progress: Progress, total: int
) -> Generator[Example, None, None]:
    """The generated texts, each compared with the teacher's own answer to it, which it gives without seeing the target.

    Asked whether a target is right, a model tends to say yes; asked what it is, it does not know what to agree with.
    A text that was written for no target takes the answer as its target. What is left out carries the reason.

    Args:
        generated: What the teacher wrote, as it was put aside: nothing else may ask the teacher meanwhile.
        teacher: Answers the task.
        verdict: What becomes of a text that is answered otherwise.
        progress: Told of every text.
        total: How many there will be, for the progress bar.

    Raises:
        TeacherError: The teacher cannot be asked, or answered not one text.
    """
    rows, texts = tee(generated)
    answers = teacher.annotate((row for row in texts if not is_rejected(row)), progress, total)
    for row in rows:
        yield row if is_rejected(row) else _judged(row, next(answers), verdict)
    next(answers, None)  # there is none left: the teacher is let go of, and says where it was never heard


def _judged(written: Example, answered: Example, verdict: Verdict) -> Example:
    """A text after the teacher has answered it, at the price of both."""
    row = _with_price_of(written, answered)
    if answered.target is None:
        return _left_out(row, f"no answer ({answered.meta['rejected']})", bool(answered.meta.get("unanswered")))
    if row.target is None or row.target == answered.target:
        return replace(row, target=answered.target, meta={**row.meta, "self_check": "kept"})
    if verdict == "drop":
        return _left_out(row, f"the teacher itself answers {_shown(answered.target, row.text)!r}")
    before = target_to_json(row.target)
    return replace(row, target=answered.target, meta={**row.meta, "self_check": "corrected", "written_for": before})


def _left_out(row: Example, reason: str, unanswered: bool = False) -> Example:
    """The row without a target, with the reason, and with the target that it was written for."""
    details = {"unanswered": True} if unanswered else {}
    if row.target is not None:
        details["written_for"] = target_to_json(row.target)
    return rejected(replace(row, target=None), f"self-check: {reason}", **details)


def _with_price_of(written: Example, answered: Example) -> Example:
    row = at_further_price(written, replies_in(answered.meta), usage_tokens(answered.meta))
    check = {"self_check_reply": answered.meta["reply"]} if "reply" in answered.meta else {}
    return replace(row, meta={**row.meta, **check})


def _shown(target: Target, text: str) -> str:
    return in_words(target_to_json(target), text)[:_QUOTED]
