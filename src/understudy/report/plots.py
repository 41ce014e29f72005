"""The plots of the report, drawn as SVG that takes its colours from the page and so is light or dark with it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from markupsafe import Markup

from understudy import words
from understudy.report.axes import LETTER, Frame, axes, axis_title, path, score_scale, teacher_line
from understudy.report.markers import RADIUS, Style, colour, marker
from understudy.report.scores import CurvePoint, Estimate, Row
from understudy.report.svg import Scale, element, log_ticks, picture, spread

_GAP = 2 * RADIUS + 10
"""Between the signs of one student, where there is room."""
_BREADTH = 130
"""All signs of one student stand within this width, so that many mixtures do not blur where the student lies."""


class Cost(NamedTuple):
    """What a student is paid for with: the title of its axis, and how a value of it is said there and in a sentence."""

    name: str
    title: str
    tick: Callable[[float], str]
    spoken: Callable[[float], str]
    of: Callable[[Row], float | None]


LATENCY = Cost(
    "latency",
    "time to answer one text, median (log scale) →",
    lambda value: f"{value:g} ms",
    lambda value: f"in {words.milliseconds(value)}",
    lambda row: row.p50,
)
SIZE = Cost(
    "size on disk",
    "the model’s folder on disk (log scale) →",
    lambda value: f"{value:g} MB",
    lambda value: f"with {words.megabytes(1e6 * value)}",
    lambda row: None if row.size_bytes is None else row.size_bytes / 1e6,
)


@dataclass(frozen=True, slots=True)
class Point:
    """An arm in the plot of quality against a cost: milliseconds, or megabytes; a ring says why it stands out."""

    student: str
    name: str
    style: Style
    cost: float
    score: Estimate
    ring: str = ""


_Placed = tuple[Point, float]


def quality_by_cost(
    points: Sequence[Point],
    teacher: Estimate | None,
    metric: str,
    cost: Cost = LATENCY,
    *,
    width: float,
    height: float,
    joined: bool = False,
) -> Markup:
    """Every arm at its cost (logarithmic) and score with its interval; the teacher is a line across with its band.

    The arms of a student have nearly the same cost: they are set side by side, at the cost of a few pixels of truth.

    Args:
        points: The arms.
        teacher: Its score, if it has one.
        metric: What the scores are, in words.
        cost: What they are seen against.
        width: In drawing units.
        height: Likewise.
        joined: Whether a line joins the ringed arms, as the front of `pareto`.
    """
    frame = _quality_frame(points, teacher, width, height)
    columns = _columns(points, frame.x)
    label = f"{metric} against {cost.name}: " + "; ".join(_spoken(point, cost) for point in points)
    return picture(
        label,
        width,
        height,
        *axes(frame, [(tick, cost.tick(tick)) for tick in log_ticks(frame.x.low, frame.x.high)], metric),
        axis_title(frame, cost.title),
        *teacher_line(frame, teacher),
        *([_front_line(columns, frame)] if joined else ()),
        *(_arm(point, x, frame.y, cost) for point, x in columns),
        *_student_names(columns, frame),
    )


def pareto(points: Sequence[Point]) -> list[Point]:
    """The arms, from cheap to dear, that score more than every cheaper one.

    A student's arms count as equally dear, by their median: between them it is mostly the noise of timing.
    """
    best = {point.student: point for point in sorted(points, key=lambda point: point.score.mean)}
    costs = {student: _median([p.cost for p in points if p.student == student]) for student in best}
    front: list[Point] = []
    for point in sorted(best.values(), key=lambda point: (costs[point.student], -point.score.mean)):
        if not front or point.score.mean > front[-1].score.mean:
            front.append(point)
    return front


def _front_line(columns: Sequence[_Placed], frame: Frame) -> Markup:
    """Steps through the ringed arms, and on to the right."""
    ringed = sorted((x, frame.y(point.score.mean)) for point, x in columns if point.ring)
    ends = [x for x, _ in ringed[1:]] + [frame.x.end]
    steps = [step for (x, y), end in zip(ringed, ends, strict=True) for step in ((x, y), (end, y))]
    return element("polyline", points=" ".join(f"{x:.1f},{y:.1f}" for x, y in steps), class_="front")


def _quality_frame(points: Sequence[Point], teacher: Estimate | None, width: float, height: float) -> Frame:
    costs = [max(point.cost, 1e-3) for point in points]
    estimates = [point.score for point in points] + ([teacher] if teacher else [])
    x = Scale(min(costs) / 1.8, max(costs) * 1.8, 46, width - 12, log=True)
    return Frame(x, score_scale(estimates, 26, height - 46), width, height)


def _columns(points: Sequence[Point], x: Scale) -> list[_Placed]:
    """Each point with its place from left to right, far enough apart to be told from its neighbours."""
    arms = {student: [p for p in points if p.student == student] for student in {point.student for point in points}}
    middle = {student: _median([x(max(point.cost, 1e-3)) for point in own]) for student, own in arms.items()}
    most = max((len(own) for own in arms.values()), default=1)
    gap = min(_GAP, _BREADTH / most, (x.end - x.start - 4 * RADIUS) / max(len(points), 1))

    def place(point: Point) -> float:
        own = x(max(point.cost, 1e-3))
        return middle[point.student] if abs(own - middle[point.student]) <= 2 * _GAP else own

    ordered = sorted(points, key=lambda point: (place(point), point.student, point.style.mixture))
    room = RADIUS + 6
    placed = spread([place(point) for point in ordered], gap, x.start + room, x.end - room)
    return list(zip(ordered, placed, strict=True))


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def _spoken(point: Point, cost: Cost) -> str:
    score = f"{words.score(point.score.mean)} {words.interval(point.score.low, point.score.high)}"
    ring = f", {point.ring}" if point.ring else ""
    return f"{point.name}{ring}: {score} {cost.spoken(point.cost)}"


def _arm(point: Point, x: float, y: Scale, cost: Cost) -> Markup:
    low, high = point.score.bounds
    ring = [element("circle", cx=x, cy=y(point.score.mean), r=RADIUS + 5, class_="ring")] if point.ring else []
    return element(
        "g",
        element("title", _spoken(point, cost)),
        element("line", x1=x, x2=x, y1=y(low), y2=y(high), class_="whisker"),
        *ring,
        marker(point.style, x, y(point.score.mean)),
        class_=colour(point.style.student),
    )


def _student_names(columns: Sequence[_Placed], frame: Frame) -> Iterator[Markup]:
    """Each student's name below its points, or above, or nowhere if it would cover something: the legend has it too."""
    taken = [_box_of_whisker(point, x, frame.y) for point, x in columns]
    for student in dict.fromkeys(point.student for point, _ in columns):
        own = [(point, x) for point, x in columns if point.student == student]
        lowest = max(own, key=lambda each: frame.y(each[0].score.bounds[0]))
        highest = min(own, key=lambda each: frame.y(each[0].score.bounds[1]))
        below, above = frame.y(lowest[0].score.bounds[0]), frame.y(highest[0].score.bounds[1])
        half = len(student) * LETTER / 2
        for at, baseline in ((lowest[1], below + 18), (highest[1], above - 10), (lowest[1], below + 32)):
            middle = min(max(at, frame.x.start + half), frame.x.end - half)
            box = (middle - half, baseline - 11, middle + half, baseline + 3)
            inside = frame.y.end - 12 <= baseline - 11 and baseline + 3 <= frame.y.start
            if inside and not any(_overlap(box, other) for other in taken):
                taken.append(box)
                class_ = f"name {colour(own[0][0].style.student)}"
                yield element("text", student, x=middle, y=baseline, class_=class_, text_anchor="middle")
                break


_Box = tuple[float, float, float, float]


def _box_of_whisker(point: Point, x: float, y: Scale) -> _Box:
    low, high = point.score.bounds
    return (x - RADIUS, min(y(high), y(point.score.mean) - RADIUS), x + RADIUS, y(low))


def _overlap(a: _Box, b: _Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@dataclass(frozen=True, slots=True)
class Line:
    """A score over growing numbers of examples, measured and expected; its sign where there are several."""

    points: Sequence[CurvePoint]
    forecast: Sequence[CurvePoint] = ()
    name: str = ""
    style: Style | None = None

    @property
    def known(self) -> list[CurvePoint]:
        """What was measured, the fewest examples first."""
        return sorted(self.points, key=lambda point: point.size)

    @property
    def expected(self) -> list[CurvePoint]:
        """What the fitted curve expects of more, likewise."""
        return sorted(self.forecast, key=lambda point: point.size)


def curves(
    lines: Sequence[Line], teacher: Estimate | None, metric: str, examples: str, *, width: float, height: float
) -> Markup:
    """The score by how many examples were learned from, and dashed, what the fitted curve expects of more.

    Args:
        lines: One, or several to be compared.
        teacher: Its score, if it belongs beside them.
        metric: What the scores are, in words.
        examples: What is counted: ``examples labelled by the teacher``.
        width: In drawing units.
        height: Likewise.
    """
    frame = _curve_frame(lines, teacher, width, height)
    sizes = sorted({point.size for line in lines for point in (*line.points, *line.forecast)})
    said = "; ".join(_curve_in_words(line) for line in lines)
    return picture(
        f"{metric} by number of {examples}: {said}",
        width,
        height,
        *axes(frame, [(size, words.count(size)) for size in sizes], metric),
        axis_title(frame, f"{examples} →"),
        *teacher_line(frame, teacher),
        *(_curve(frame, line) for line in lines),
    )


def _curve_frame(lines: Sequence[Line], teacher: Estimate | None, width: float, height: float) -> Frame:
    points = [point for line in lines for point in (*line.points, *line.forecast)]
    counts = [point.size for point in points]
    low, high, log = float(min(counts)), float(max(counts)), min(counts) > 0
    if low == high:
        low, high = (low / 2, high * 2) if log else (low - 1, high + 1)
    y = score_scale([*points, *([teacher] if teacher else [])], 26, height - 46)
    return Frame(Scale(low, high, 62, width - 30, log=log), y, width, height)


def _curve_in_words(line: Line) -> str:
    said = "; ".join(f"{words.count(p.size)}: {words.score(p.mean)}" for p in line.known)
    return f"{line.name}: {said}" if line.name else said


def _curve(frame: Frame, line: Line) -> Markup:
    known, expected = line.known, line.expected
    dashed = [known[-1], *expected] if expected else []
    return element(
        "g",
        _ribbon(frame, dashed, "ribbon forecast"),
        _ribbon(frame, known, "ribbon"),
        _polyline(frame, dashed, "curve dashed"),
        _polyline(frame, known, "curve"),
        *(_curve_dot(frame, point, line, "dot") for point in known),
        *(_curve_dot(frame, point, line, "dot hollow") for point in expected),
        class_=colour(line.style.student) if line.style else None,
    )


def _ribbon(frame: Frame, points: Sequence[CurvePoint], class_: str) -> Markup:
    upper = [(p.size, p.bounds[1]) for p in points]
    lower = [(p.size, p.bounds[0]) for p in reversed(points)]
    return element("polygon", points=path(frame, upper + lower), class_=class_)


def _polyline(frame: Frame, points: Sequence[CurvePoint], class_: str) -> Markup:
    return element("polyline", points=path(frame, [(p.size, p.mean) for p in points]), class_=class_)


def _curve_dot(frame: Frame, point: CurvePoint, line: Line, class_: str) -> Markup:
    examples = f"{words.count(point.size)} examples"
    said = f"{examples}: {words.score(point.mean)} {words.interval(point.low, point.high)}"
    title = element("title", f"{line.name}, {said}" if line.name else said)
    x, y = frame.x(point.size), frame.y(point.mean)
    if line.style and class_ == "dot":
        return element("g", title, marker(line.style, x, y))
    return element("circle", title, cx=x, cy=y, r=4, class_=class_)


def difference(low: float, mean: float, high: float, limit: float, sign: str) -> Markup:
    """A difference and its interval beside a line at zero, to the same limit in every row of a table.

    Args:
        low: The interval's lower end.
        mean: The difference.
        high: The interval's upper end.
        limit: The largest distance from zero that has a place.
        sign: The style class: ``up``, ``down`` or ``unsure``.
    """
    x = Scale(-limit or -1.0, limit or 1.0, 6, 134)
    label = f"{words.signed(mean)} {words.interval(low, high)}"
    return picture(
        label,
        140,
        20,
        element("line", x1=x(0), x2=x(0), y1=1, y2=19, class_="axis"),
        element("line", x1=x(low), x2=x(high), y1=10, y2=10, class_=f"whisker {sign}"),
        element("circle", cx=x(mean), cy=10, r=3.5, class_=f"dot {sign}"),
    )
