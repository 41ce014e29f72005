"""The answer that stands at the top of the page: may the student take over, and what is that worth?"""

from collections.abc import Iterator
from dataclasses import dataclass

from understudy import words
from understudy.report.scores import TEACHER, Comparison, Row, Scores
from understudy.report.statements import Statement, statements

_MARGIN = 0.05
"""Where no difference is found, "yes" is said only if the test rules out a loss of this share of the teacher's score;
the figure is ours."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One big number with what it is and what to hold beside it."""

    value: str
    label: str
    note: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The top of the page.

    Attributes:
        headline: May one switch? In one line.
        lead: Which student, its score against the teacher's, its speed and size.
        figures: Three or four numbers to remember.
        statements: What one must know beside them.
    """

    headline: str
    lead: str
    figures: list[Figure]
    statements: list[Statement]


def answer(scores: Scores) -> Answer:
    """What the run says to whoever must decide."""
    standing = scores.compare(scores.chosen.name, TEACHER)
    return Answer(
        headline=_headline(scores, standing),
        lead=_lead(scores),
        figures=list(_figures(scores)),
        statements=list(statements(scores)),
    )


def _headline(scores: Scores, standing: Comparison | None) -> str:
    student, metric = scores.chosen.student, words.metric(scores.headline).name
    if standing is None:
        return f"The {student} is the best student; whether it may replace the teacher was not tested."
    if standing.low > 0:
        return f"Yes: the {student} does better than its teacher."
    if standing.high < 0:
        return f"Not as an equal yet: the {student} is {words.score(-standing.difference)} {metric} below its teacher."
    if standing.low >= -_tolerable_loss(scores):
        return f"Yes, as far as this test can tell: the {student} is on a par with its teacher."
    return f"Not proven: the test is too small to tell the {student} from its teacher."


def _tolerable_loss(scores: Scores) -> float:
    teacher = scores.teacher_row
    return _MARGIN * (abs(scores.score(teacher).mean) if teacher else 1.0)


def _lead(scores: Scores) -> str:
    chosen, teacher = scores.chosen, scores.teacher_row
    metric = words.metric(scores.headline).name
    lead = f"{_origin(chosen)} it scores {words.score(scores.score(chosen).mean)} {metric}"
    if teacher:
        lead += f" against the teacher’s {words.score(scores.score(teacher).mean)}"
    costs = [text for text in (_speed(chosen, teacher), _size(chosen, teacher)) if text]
    return f"{lead}; {' and '.join(costs)}." if costs else f"{lead}."


def _origin(row: Row) -> str:
    meaning = words.mixture_meaning(row.mixture or "")
    return f"Trained on {meaning}," if meaning else f"Trained on {words.plain(row.mixture or 'its data')},"


def _speed(chosen: Row, teacher: Row | None) -> str:
    if not chosen.p50:
        return ""
    speed = f"it answers in {words.milliseconds(chosen.p50)}"
    if teacher and teacher.p50:
        slower, faster = sorted((teacher.p50, chosen.p50), reverse=True)
        word = "faster" if chosen.p50 <= teacher.p50 else "slower"
        speed += f", {words.times(slower / faster)} times {word} than the teacher,"
    return speed


def _size(chosen: Row, teacher: Row | None) -> str:
    if not chosen.size_bytes:
        return ""
    size = f"takes {words.megabytes(chosen.size_bytes)} on disk"
    if teacher and teacher.size_bytes and teacher.size_bytes > chosen.size_bytes:
        size += f", {words.times(teacher.size_bytes / chosen.size_bytes)} times smaller"
    return size


def _figures(scores: Scores) -> Iterator[Figure]:
    chosen, teacher = scores.chosen, scores.teacher_row
    metric = words.metric(scores.headline).name
    for row, whose in ((chosen, f"{chosen.student}’s {metric}"), (teacher, f"teacher’s {metric}")):
        if row:
            mean = scores.score(row)
            yield Figure(words.score(mean.mean), whose, f"95 %: {words.interval(mean.low, mean.high) or words.NOTHING}")
    if chosen.p50:
        yield Figure(words.milliseconds(chosen.p50), "to answer one text", _teacher_latency(teacher))
    if chosen.size_bytes:
        note = f"{words.compact(chosen.parameters)} parameters" if chosen.parameters else "everything it needs"
        yield Figure(words.megabytes(chosen.size_bytes), "on disk", note)


def _teacher_latency(teacher: Row | None) -> str:
    if teacher and teacher.p50:
        return f"the teacher: {words.milliseconds(teacher.p50)}"
    return "median, one at a time"
