"""The tables of the page: every row, every comparison, every label, each cell in words."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from markupsafe import Markup

from understudy import words
from understudy.report import plots
from understudy.report.scores import TEACHER, ClassScore, Comparison, Confusion, Details, Matches, Row, Scores

_C = TypeVar("_C", bound=Comparison)

_MOST_LABELS = 40
"""A confusion matrix of more labels than this is not drawn: nobody can read it, and the page would grow heavy."""

_MOST_CONFUSIONS = 5


@dataclass(frozen=True, slots=True)
class Cell:
    """A number, what stands small below it, and whether it is the best of the students in its column."""

    text: str
    note: str = ""
    best: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the comparison as a line of the table; ``last`` of its student's."""

    row: Row
    title: str
    chosen: bool
    teacher: bool
    cells: list[Cell]
    last: bool


@dataclass(frozen=True, slots=True)
class _Column:
    """A number that some rows have, how it is said, and which of it is the best: ``min``, ``max`` or neither."""

    title: str
    value: Callable[[Row], float | None]
    said: Callable[[Row], tuple[str, str]]
    best: Callable[[list[float]], float] | None


def board(scores: Scores) -> tuple[list[str], list[Line]]:
    """The titles and the lines of the table of all rows, the teacher first."""
    front = [key for key in metric_keys(scores) if not words.metric(key).aside]
    return _table(scores, [*_metric_columns(scores, front), *_cost_columns()])


def board_aside(scores: Scores) -> tuple[list[str], list[Line]]:
    """The same of the metrics that stand behind the others; none where there are no such metrics."""
    aside = [key for key in metric_keys(scores) if words.metric(key).aside]
    return _table(scores, list(_metric_columns(scores, aside))) if aside else ([], [])


def _table(scores: Scores, columns: Sequence[_Column]) -> tuple[list[str], list[Line]]:
    columns = [column for column in columns if any(column.value(row) is not None for row in scores.rows)]
    best = [_best(column, scores.students) for column in columns]
    rows = sorted(scores.rows, key=lambda row: row.student != TEACHER)
    lines = [
        Line(
            row=row,
            title=row.student,
            chosen=row.name == scores.chosen.name,
            teacher=row.student == TEACHER,
            cells=[_cell(column, row, record) for column, record in zip(columns, best, strict=True)],
            last=following is not None and following.student != row.student,
        )
        for row, following in zip(rows, [*rows[1:], None], strict=True)
    ]
    return [column.title for column in columns], lines


def _metric_columns(scores: Scores, keys: Sequence[str]) -> Iterator[_Column]:
    for key in keys:
        metric = words.metric(key)
        best = None if key in scores.diagnostic else min if metric.lower_is_better else max
        yield _Column(metric.name, _metric_value(key), _metric_said(key), best)


def _cost_columns() -> Iterator[_Column]:
    yield _Column("latency", lambda row: row.p50, _latency_said, min)
    yield _Column("texts/s", lambda row: row.throughput, lambda row: (words.rate(row.throughput), ""), max)
    yield _Column("size", lambda row: row.size_bytes, _size_said, min)
    yield _Column("training", lambda row: row.train_seconds, _training_said, min)


def metric_keys(scores: Scores) -> list[str]:
    """Every metric of any row, the headline first."""
    found = dict.fromkeys(key for row in scores.rows for key, value in row.metrics.items() if value is not None)
    return sorted(found, key=lambda key: key != scores.headline)


def _latency_said(row: Row) -> tuple[str, str]:
    p95 = row.latency_ms.p95 if row.latency_ms else None
    return words.milliseconds(row.p50), f"p95 {words.milliseconds(p95)}" if p95 is not None else ""


def _size_said(row: Row) -> tuple[str, str]:
    parameters = f"{words.compact(row.parameters)} parameters" if row.parameters is not None else ""
    return words.megabytes(row.size_bytes), parameters


def _training_said(row: Row) -> tuple[str, str]:
    seeds = f"{words.count(row.seeds)} seed{'' if row.seeds == 1 else 's'}" if row.seeds is not None else ""
    return words.duration(row.train_seconds), seeds if row.train_seconds is not None else ""


def _metric_value(key: str) -> Callable[[Row], float | None]:
    def value(row: Row) -> float | None:
        estimate = row.metrics.get(key)
        return estimate.mean if estimate else None

    return value


def _metric_said(key: str) -> Callable[[Row], tuple[str, str]]:
    def said(row: Row) -> tuple[str, str]:
        estimate = row.metrics.get(key)
        if estimate is None:
            return words.NOTHING, ""
        metric = words.metric(key)
        return metric.said(estimate.mean), metric.interval(estimate.low, estimate.high)

    return said


def _best(column: _Column, students: Sequence[Row]) -> float | None:
    known = [value for row in students if (value := column.value(row)) is not None]
    return column.best(known) if column.best and len(known) > 1 else None


def _cell(column: _Column, row: Row, best: float | None) -> Cell:
    text, note = column.said(row)
    return Cell(text, note, best is not None and row.student != TEACHER and column.value(row) == best)


@dataclass(frozen=True, slots=True)
class Compared:
    """A paired comparison in words, and drawn beside a line at zero."""

    a: str
    b: str
    metric: str
    difference: str
    interval: str
    p_value: str
    verdict: str
    sign: str
    drawing: Markup


def comparisons(scores: Scores) -> tuple[list[Compared], list[Compared]]:
    """The chosen arm's comparisons by the headline metric and by what is to be seen beside it, and then the others.

    Those by metrics that stand aside would be hundreds; they are in the scores file.
    """
    first: list[Comparison] = []
    others: list[Comparison] = []
    foremost = {scores.headline, *scores.diagnostic}
    shown = [each for each in scores.comparisons if not words.metric(each.metric).aside]
    for comparison in sorted(shown, key=lambda each: each.metric != scores.headline):
        if comparison.metric in foremost and scores.chosen.name in (comparison.a, comparison.b):
            first.append(comparison.flipped() if comparison.b == scores.chosen.name else comparison)
        else:
            others.append(comparison)
    judged = partial(_verdict, diagnostic=scores.diagnostic)
    return compared(first, judged), compared(others, judged)


def compared(found: Sequence[_C], judged: Callable[[_C], tuple[str, str]]) -> list[Compared]:
    """Comparisons in words, and drawn to the same scale wherever the metric is the same.

    Args:
        found: The comparisons.
        judged: Gives the sign of one (``up``, ``down``, ``unsure``) and its verdict.
    """
    limits = {key: _limit(found, key) for key in {comparison.metric for comparison in found}}
    return [_compared(comparison, limits[comparison.metric], *judged(comparison)) for comparison in found]


def _limit(found: Sequence[Comparison], metric: str) -> float:
    return max(max(abs(each.low), abs(each.high)) for each in found if each.metric == metric)


def _compared(comparison: Comparison, limit: float, sign: str, verdict: str) -> Compared:
    low, high = comparison.low, comparison.high
    metric = words.metric(comparison.metric)
    return Compared(
        a=words.arm(comparison.a),
        b=words.arm(comparison.b),
        metric=metric.name,
        difference=metric.signed(comparison.difference),
        interval=metric.interval(low, high),
        p_value=words.p_value(comparison.p_value),
        verdict=verdict,
        sign=sign,
        drawing=plots.difference(low, comparison.difference, high, limit, sign),
    )


def _verdict(comparison: Comparison, diagnostic: Sequence[str]) -> tuple[str, str]:
    """Significant only if the interval leaves out zero."""
    if comparison.metric in diagnostic:
        return "unsure", "neither side is better"
    return verdict(comparison, significant=not comparison.low <= 0 <= comparison.high)


def verdict(comparison: Comparison, *, significant: bool) -> tuple[str, str]:
    """The sign and the verdict of a comparison that may be called a difference, or may not."""
    if not significant:
        return "unsure", "no significant difference"
    more = comparison.difference > 0
    return ("up", "better") if more != words.metric(comparison.metric).lower_is_better else ("down", "worse")


@dataclass(frozen=True, slots=True)
class HeatCell:
    """How often a label was answered with another: the count, its share of the row, and whether that is right."""

    count: int
    share: float
    right: bool
    said: str


@dataclass(frozen=True, slots=True)
class Heat:
    """A confusion matrix; rows are gold, columns are predicted."""

    columns: list[str]
    rows: list[tuple[str, list[HeatCell]]]


@dataclass(frozen=True, slots=True)
class LabelScore:
    """One label's scores, and the teacher's F1 where it is known."""

    label: str
    score: ClassScore
    teacher: float | None


@dataclass(frozen=True, slots=True)
class Labels:
    """What is known of a row label by label, or entity type by type; ``answers`` counts the true ones."""

    title: str
    scores: list[LabelScore]
    matches: list[tuple[str, Matches]]
    heat: Heat | None
    too_many: int
    answers: int
    confusions: list[tuple[str, str, int]]

    @property
    def has_teacher(self) -> bool:
        """Whether the teacher's scores can stand beside."""
        return any(each.teacher is not None for each in self.scores)


def labels(scores: Scores, row: Row) -> Labels | None:
    """A row's labels, the weakest first; None where its task has none."""
    details = row.details
    if details is None or not (details.per_class or details.confusion):
        return None
    teacher = scores.teacher_row if row.student != TEACHER else None
    known = teacher.details.per_class if teacher and teacher.details and teacher.details.per_class else {}
    per_class = [
        LabelScore(label, score, known[label].f1 if label in known else None)
        for label, score in (details.per_class or {}).items()
    ]
    confusion = details.confusion
    drawn = confusion is not None and len(confusion.labels) <= _MOST_LABELS
    return Labels(
        title=words.arm(row.name),
        scores=sorted(per_class, key=lambda each: each.score.f1 or 0.0),
        matches=list(_matches(details)),
        heat=_heat(confusion) if confusion and drawn else None,
        too_many=0 if drawn or confusion is None else len(confusion.labels),
        answers=sum(each.score.support or 0 for each in per_class),
        confusions=_confusions(confusion) if confusion else [],
    )


def _matches(details: Details) -> Iterator[tuple[str, Matches]]:
    """What became of the entities of each type, and of all."""
    for type_, score in (details.per_class or {}).items():
        if score.matches:
            yield type_, score.matches
    if details.matches:
        yield "all types", details.matches


def _heat(confusion: Confusion) -> Heat:
    unanswered = any(row[-1] for row in confusion.counts)
    columns = [*confusion.labels, *(["no answer"] if unanswered else [])]
    rows = [
        (label, [_heat_cell(label, column, count, sum(counts)) for column, count in zip(columns, counts, strict=False)])
        for label, counts in zip(confusion.labels, confusion.counts, strict=True)
    ]
    return Heat(columns, rows)


def _heat_cell(label: str, column: str, count: int, total: int) -> HeatCell:
    said = f"{label} answered as {column}: {count} of {total}"
    return HeatCell(count, count / total if total else 0.0, label == column, said)


def _confusions(confusion: Confusion) -> list[tuple[str, str, int]]:
    """What was most often taken for what, as (gold, predicted, count)."""
    columns = [*confusion.labels, "no answer"]
    found = [
        (label, column, count)
        for label, counts in zip(confusion.labels, confusion.counts, strict=True)
        for column, count in zip(columns, counts, strict=True)
        if count and label != column
    ]
    return sorted(found, key=lambda each: (-each[2], each[0], each[1]))[:_MOST_CONFUSIONS]
