"""The plots of the report, drawn as SVG that takes its colours from the page and so is light or dark with it."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from understudy import words
from understudy.report.markers import RADIUS, Style, colour, marker
from understudy.report.scores import CurvePoint, Estimate
from understudy.report.svg import Scale, element, log_ticks, nice_ticks, picture, spread

_LETTER = 6.6
"""About how wide a letter of a label is, in drawing units."""


@dataclass(frozen=True, slots=True)
class Point:
    """An arm in the plot of quality against latency (milliseconds)."""

    student: str
    name: str
    style: Style
    latency: float
    score: Estimate
    chosen: bool


@dataclass(frozen=True, slots=True)
class _Frame:
    x: Scale
    y: Scale
    width: float
    height: float


def quality_by_latency(
    points: Sequence[Point], teacher: Estimate | None, metric: str, *, width: float, height: float
) -> Markup:
    """Every arm at its latency (logarithmic) and score with its interval; the teacher is a line across with its band.

    The arms of a student have nearly the same latency: they are set side by side, at the cost of a few pixels of truth.
    """
    frame = _quality_frame(points, teacher, width, height)
    columns = _columns(points, frame.x)
    label = f"{metric} against latency: " + "; ".join(_spoken(point) for point in points)
    return picture(
        label,
        width,
        height,
        *_axes(frame, [(tick, f"{tick:g} ms") for tick in log_ticks(frame.x.low, frame.x.high)], metric),
        _axis_title(frame, "time to answer one text, median (log scale) →"),
        *_teacher_line(frame, teacher),
        *(_arm(point, x, frame.y) for point, x in columns),
        *_student_names(columns, frame),
    )


def _quality_frame(points: Sequence[Point], teacher: Estimate | None, width: float, height: float) -> _Frame:
    latencies = [max(point.latency, 1e-3) for point in points]
    estimates = [point.score for point in points] + ([teacher] if teacher else [])
    x = Scale(min(latencies) / 1.8, max(latencies) * 1.8, 46, width - 12, log=True)
    return _Frame(x, _score_scale(estimates, 26, height - 46), width, height)


def _score_scale(estimates: Iterable[Estimate], top: float, bottom: float) -> Scale:
    """Room for all intervals between round values, and never past 1 where nothing is."""
    ends = [end for estimate in estimates for end in (*estimate.bounds, estimate.mean)]
    low, high = min(ends), max(ends)
    ticks = nice_ticks(low, high)
    ceiling = 1.0 if high <= 1.0 < ticks[-1] else ticks[-1]
    return Scale(ticks[0], ceiling, bottom, top)


def _columns(points: Sequence[Point], x: Scale) -> list[tuple[Point, float]]:
    """Each point with its place from left to right, far enough apart to be told from its neighbours."""
    students = {point.student for point in points}
    middle = {
        student: _median([x(max(point.latency, 1e-3)) for point in points if point.student == student])
        for student in students
    }
    gap = min(2 * RADIUS + 10, (x.end - x.start - 4 * RADIUS) / max(len(points), 1))
    near = 2 * gap

    def place(point: Point) -> float:
        own = x(max(point.latency, 1e-3))
        return middle[point.student] if abs(own - middle[point.student]) <= near else own

    ordered = sorted(points, key=lambda point: (place(point), point.student, point.style.mixture))
    room = RADIUS + 6
    placed = spread([place(point) for point in ordered], gap, x.start + room, x.end - room)
    return list(zip(ordered, placed, strict=True))


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def _spoken(point: Point) -> str:
    interval = words.interval(point.score.low, point.score.high)
    chosen = ", the run’s choice" if point.chosen else ""
    return f"{point.name}{chosen}: {words.score(point.score.mean)} {interval} in {words.milliseconds(point.latency)}"


def _arm(point: Point, x: float, y: Scale) -> Markup:
    low, high = point.score.bounds
    ring = [element("circle", cx=x, cy=y(point.score.mean), r=RADIUS + 5, class_="ring")] if point.chosen else []
    return element(
        "g",
        element("title", _spoken(point)),
        element("line", x1=x, x2=x, y1=y(low), y2=y(high), class_="whisker"),
        *ring,
        marker(point.style, x, y(point.score.mean)),
        class_=colour(point.style.student),
    )


def _student_names(columns: Sequence[tuple[Point, float]], frame: _Frame) -> Iterator[Markup]:
    """Each student's name below its points, or above, or nowhere if it would cover something: the legend has it too."""
    taken = [_box_of_whisker(point, x, frame.y) for point, x in columns]
    for student in dict.fromkeys(point.student for point, _ in columns):
        own = [(point, x) for point, x in columns if point.student == student]
        lowest = max(own, key=lambda each: frame.y(each[0].score.bounds[0]))
        highest = min(own, key=lambda each: frame.y(each[0].score.bounds[1]))
        below, above = frame.y(lowest[0].score.bounds[0]), frame.y(highest[0].score.bounds[1])
        half = len(student) * _LETTER / 2
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


def _teacher_line(frame: _Frame, teacher: Estimate | None) -> Iterator[Markup]:
    if teacher is None:
        return
    low, high = teacher.bounds
    said = f"teacher: {words.score(teacher.mean)} {words.interval(teacher.low, teacher.high)}"
    at, across = frame.y(teacher.mean), frame.x.end - frame.x.start
    yield element(
        "g",
        element("title", said),
        element(
            "rect", x=frame.x.start, width=across, y=frame.y(high), height=frame.y(low) - frame.y(high), class_="band"
        ),
        element("line", x1=frame.x.start, x2=frame.x.end, y1=at, y2=at, class_="teacher"),
        element(
            "text",
            f"teacher {words.score(teacher.mean)}",
            x=frame.x.end - 4,
            y=frame.y(high) - 5,
            class_="name teacher-name",
            text_anchor="end",
        ),
    )


def _axes(frame: _Frame, x_ticks: Sequence[tuple[float, str]], metric: str) -> Iterator[Markup]:
    """Light lines across with the scores beside them, the values below, and the metric's name on top."""
    for tick in nice_ticks(frame.y.low, frame.y.high):
        if frame.y.low - 1e-9 <= tick <= frame.y.high + 1e-9:
            at = frame.y(tick)
            yield element("line", x1=frame.x.start, x2=frame.x.end, y1=at, y2=at, class_="grid")
            yield element("text", f"{tick:.10g}", x=frame.x.start - 8, y=at + 4, class_="tick", text_anchor="end")
    reached = -math.inf
    for value, said in x_ticks:
        at, half = frame.x(value), len(said) * _LETTER / 2
        yield element("line", x1=at, x2=at, y1=frame.y.start, y2=frame.y.start + 5, class_="axis")
        if at - half > reached and at + half < frame.width:
            reached = at + half + 8
            yield element("text", said, x=at, y=frame.y.start + 20, class_="tick", text_anchor="middle")
    yield element("line", x1=frame.x.start, x2=frame.x.end, y1=frame.y.start, y2=frame.y.start, class_="axis")
    yield element("text", f"↑ {metric}", x=2, y=12, class_="tick")


def _axis_title(frame: _Frame, title: str) -> Markup:
    return element("text", title, x=frame.x.end, y=frame.height - 6, class_="tick", text_anchor="end")


def learning_curve(
    points: Sequence[CurvePoint],
    forecast: Sequence[CurvePoint],
    teacher: Estimate | None,
    metric: str,
    *,
    width: float,
    height: float,
) -> Markup:
    """The score by how many distilled examples were learned from, and dashed, what the fitted curve expects of more."""
    known = sorted(points, key=lambda point: point.distilled)
    expected = sorted(forecast, key=lambda point: point.distilled)
    frame = _curve_frame([*known, *expected], teacher, width, height)
    said = "; ".join(f"{words.count(p.distilled)}: {words.score(p.mean)}" for p in known)
    dashed = [known[-1], *expected] if expected else []
    return picture(
        f"{metric} by number of distilled examples: {said}",
        width,
        height,
        *_axes(frame, [(p.distilled, words.count(p.distilled)) for p in [*known, *expected]], metric),
        _axis_title(frame, "examples labelled by the teacher →"),
        *_teacher_line(frame, teacher),
        _ribbon(frame, dashed, "ribbon forecast"),
        _ribbon(frame, known, "ribbon"),
        _polyline(frame, dashed, "curve dashed"),
        _polyline(frame, known, "curve"),
        *(_curve_dot(frame, point, "dot") for point in known),
        *(_curve_dot(frame, point, "dot hollow") for point in expected),
    )


def _curve_frame(points: Sequence[CurvePoint], teacher: Estimate | None, width: float, height: float) -> _Frame:
    counts = [point.distilled for point in points]
    low, high, log = float(min(counts)), float(max(counts)), min(counts) > 0
    if low == high:
        low, high = (low / 2, high * 2) if log else (low - 1, high + 1)
    y = _score_scale([*points, *([teacher] if teacher else [])], 26, height - 46)
    return _Frame(Scale(low, high, 62, width - 30, log=log), y, width, height)


def _ribbon(frame: _Frame, points: Sequence[CurvePoint], class_: str) -> Markup:
    upper = [f"{frame.x(p.distilled):.1f},{frame.y(p.bounds[1]):.1f}" for p in points]
    lower = [f"{frame.x(p.distilled):.1f},{frame.y(p.bounds[0]):.1f}" for p in reversed(points)]
    return element("polygon", points=" ".join(upper + lower), class_=class_)


def _polyline(frame: _Frame, points: Sequence[CurvePoint], class_: str) -> Markup:
    path = " ".join(f"{frame.x(p.distilled):.1f},{frame.y(p.mean):.1f}" for p in points)
    return element("polyline", points=path, class_=class_)


def _curve_dot(frame: _Frame, point: CurvePoint, class_: str) -> Markup:
    said = f"{words.count(point.distilled)} examples: {words.score(point.mean)} {words.interval(point.low, point.high)}"
    return element(
        "circle", element("title", said), cx=frame.x(point.distilled), cy=frame.y(point.mean), r=4, class_=class_
    )


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
