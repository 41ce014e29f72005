"""What a run says of its choice, in a sentence or two each, on the page and in the terminal alike."""

from collections.abc import Iterator
from typing import NamedTuple

from understudy import words
from understudy.report.scores import TEACHER, Comparison, Row, Scores


class Statement(NamedTuple):
    """What one must know of a choice, and what that is about."""

    title: str
    text: str


def statements(scores: Scores) -> Iterator[Statement]:
    """Why it was chosen, how it stands to teacher and controls, what its answers are like, what more would bring.

    Where it does not beat a student that learns nothing, that is said before anything else.
    """
    controls = [Statement("Against the control", said) for said in _against_controls(scores)]
    if not _beats_controls(scores):
        yield from controls
    if scores.choice and scores.choice.sentence:
        yield Statement("Why this student", scores.choice.sentence)
    yield Statement("Against the teacher", _against_teacher(scores))
    if _beats_controls(scores):
        yield from controls
    if said := ", ".join(_descriptions(scores)):
        note = "Neither side is better, but a score may rise with the length alone."
        yield Statement("What the answers are like", f"Its answers: {said}. {note}")
    if scores.learning_curve and scores.learning_curve.sentence:
        yield Statement("What more labels would bring", scores.learning_curve.sentence)


def _against_teacher(scores: Scores) -> str:
    found = scores.compare(scores.chosen.name, TEACHER)
    if scores.teacher_row is None:
        return "The teacher was not asked about the test texts: whether it is better than this student is not known."
    if found is None:
        return "No paired test of this student against the teacher is recorded; compare their intervals with care."
    if found.high < 0:
        return f"It is still below the teacher: {difference(found)}."
    if found.low > 0:
        return f"It is above the teacher: {difference(found)}."
    loss = f"; a loss of up to {words.score(-found.low)} cannot be ruled out" if found.low < 0 else ""
    return f"No significant difference to the teacher: {difference(found)}{loss}."


def _against_controls(scores: Scores) -> Iterator[str]:
    chosen = scores.chosen.name
    for control, found in _controls(scores):
        if found.low > 0:
            yield f"{chosen} beats the control {control.student} by {difference(found)}."
            continue
        worse = found.high < 0
        said = "Nothing is gained" if worse else "It cannot be said that anything is gained"
        how = "is below" if worse else "is not significantly better than"
        yield f"{said}: {chosen} {how} the control {control.student}, which learns nothing: {difference(found)}."


def _beats_controls(scores: Scores) -> bool:
    return all(found.low > 0 for _, found in _controls(scores))


def _controls(scores: Scores) -> Iterator[tuple[Row, Comparison]]:
    """The controls that the choice was compared with."""
    for control in scores.controls:
        if found := scores.compare(scores.chosen.name, control.name):
            yield control, found


def difference(found: Comparison) -> str:
    """A paired difference with its interval and its unit: ``+0.031 [+0.010, +0.050] ROUGE-L F1``."""
    metric = words.metric(found.metric)
    difference, low, high = map(metric.signed, (found.difference, found.low, found.high))
    return f"{difference} [{low}, {high}] {metric.name}"


def _descriptions(scores: Scores) -> Iterator[str]:
    """What describes the answers without judging them, such as their length, beside the teacher's."""
    for key, own in scores.chosen.metrics.items():
        metric = words.metric(key)
        if own and key in scores.diagnostic and not metric.aside:
            theirs = _mean(scores.teacher_row, key)
            beside = f" (the teacher’s {metric.said(theirs)})" if theirs is not None else ""
            yield f"{metric.name} {metric.said(own.mean)}{beside}"


def _mean(row: Row | None, key: str) -> float | None:
    estimate = row.metrics.get(key) if row else None
    return estimate.mean if estimate else None
