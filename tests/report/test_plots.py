import xml.etree.ElementTree as ET
from itertools import pairwise

import pytest
from markupsafe import Markup

from understudy.report import plots
from understudy.report.markers import Style, swatch
from understudy.report.plots import Point
from understudy.report.scores import CurvePoint, Estimate
from understudy.report.svg import Scale, element, log_ticks, nice_ticks, spread


def point(student: str, latency: float, mean: float, *, half: float = 0.03, chosen: bool = False, n: int = 0) -> Point:
    score = Estimate(mean=mean, low=mean - half, high=mean + half)
    return Point(student, f"{student} (gold)", Style(n, n), latency, score, "the run’s choice" if chosen else "")


def draw(points: list[Point], teacher: Estimate | None = None, width: float = 1000) -> ET.Element:
    return ET.fromstring(plots.quality_by_cost(points, teacher, "macro-F1", width=width, height=400))


def numbers(root: ET.Element, *names: str) -> list[float]:
    return [float(node.attrib[name]) for node in root.iter() for name in names if name in node.attrib]


def inside(root: ET.Element, width: float, height: float) -> bool:
    across, down = numbers(root, "x1", "x2", "cx"), numbers(root, "y1", "y2", "cy")
    return min(across) >= 0 and max(across) <= width and min(down) >= 0 and max(down) <= height


def test_a_higher_score_is_higher_and_a_slower_student_further_right() -> None:
    root = draw([point("fast", 1, 0.5, half=0.1), point("slow", 100, 0.9, half=0.1, chosen=True)])
    lines = [node for node in root.iter("line") if node.get("class") == "whisker"]
    fast, slow = ({name: float(line.attrib[name]) for name in ("x1", "y1", "y2")} for line in lines)
    assert fast["x1"] < slow["x1"]
    assert slow["y2"] < slow["y1"] < fast["y2"] < fast["y1"]


def test_only_the_choice_is_ringed_and_named_so() -> None:
    root = draw([point("a", 1, 0.5), point("b", 9, 0.9, chosen=True)])
    assert [node.get("class") for node in root.iter("circle")].count("ring") == 1
    assert "b (gold), the run’s choice: 0.900 [0.870, 0.930] in 9.00 ms" in str(root.get("aria-label"))


def test_the_drawing_says_what_it_shows() -> None:
    root = draw([point("a", 1, 0.5)])
    assert root.get("role") == "img"
    assert [node.text for node in root.iter("title")] == ["a (gold): 0.500 [0.470, 0.530] in 1.00 ms"]


@pytest.mark.parametrize("width", [1000, 358])
@pytest.mark.parametrize(
    "points",
    [
        [point("one", 3.0, 0.8)],
        [point(f"s{n}", 3.0, 0.8, n=n) for n in range(5)],
        [point("flat", 3.0, 0.8, half=0.0), point("flat too", 4.0, 0.8, half=0.0)],
        [point("none", 0.0, 0.0, half=0.0)],
        [point("perfect", 1e-4, 1.0, half=0.0), point("slowest", 90_000, -0.4)],
        [point(f"s{n % 4}", 1 + n % 4, 0.5 + n / 50, n=n) for n in range(24)],
    ],
    ids=["one point", "equal latencies", "zero-width intervals", "zeros", "extremes", "crowd"],
)
def test_every_sign_lies_within_the_drawing(points: list[Point], width: float) -> None:
    assert inside(draw(points, Estimate(mean=0.97), width), width, 400)


def test_signs_of_equal_latency_do_not_cover_each_other() -> None:
    root = draw([point("same", 3.0, 0.8, n=0) for _ in range(6)])
    places = sorted(float(node.attrib["x1"]) for node in root.iter("line") if node.get("class") == "whisker")
    assert all(after - before >= 13 for before, after in pairwise(places))


def test_the_teacher_is_a_band_from_low_to_high() -> None:
    root = draw([point("a", 1, 0.5)], Estimate(mean=0.9, low=0.8, high=0.95))
    band = next(node for node in root.iter("rect") if node.get("class") == "band")
    line = next(node for node in root.iter("line") if node.get("class") == "teacher")
    top, height = float(band.attrib["y"]), float(band.attrib["height"])
    assert height > 0
    assert top < float(line.attrib["y1"]) < top + height


def test_a_name_in_a_drawing_is_escaped() -> None:
    root = draw([point("<script>", 1, 0.5), point("b", 9, 0.9)])
    assert "<script>" in [node.text for node in root.iter("text")]


@pytest.mark.parametrize("counts", [[120], [0, 10], [60, 120, 240]])
def test_the_learning_curve_is_solid_where_measured_and_dashed_where_expected(counts: list[int]) -> None:
    known = [CurvePoint(size=n, mean=0.5 + n / 1000, low=0.5, high=0.8) for n in counts]
    expected = [CurvePoint(size=2 * counts[-1], mean=0.85)]
    root = ET.fromstring(
        plots.curves([plots.Line(known, expected)], None, "macro-F1", "examples", width=358, height=340)
    )
    assert inside(root, 358, 340)
    dots = [node.get("class") for node in root.iter("circle")]
    assert (dots.count("dot"), dots.count("dot hollow")) == (len(counts), 1)
    dashed = next(node for node in root.iter("polyline") if node.get("class") == "curve dashed")
    assert len(dashed.attrib["points"].split()) == 2


@pytest.mark.parametrize(("low", "mean", "high", "limit"), [(-0.1, 0.0, 0.1, 0.1), (0.0, 0.0, 0.0, 0.0)])
def test_a_difference_is_drawn_about_zero(low: float, mean: float, high: float, limit: float) -> None:
    root = ET.fromstring(plots.difference(low, mean, high, limit, "unsure"))
    zero, whisker = root.iter("line")
    assert zero.attrib["x1"] == "70"
    assert float(whisker.attrib["x1"]) <= 70 <= float(whisker.attrib["x2"])


def test_a_hollow_sign_has_no_filling_and_a_solid_one_has() -> None:
    assert "mark-fill" not in swatch(None, 0)
    assert "mark-fill" in swatch(Style(2, 1))


def test_text_in_an_element_is_escaped_and_markup_is_kept() -> None:
    assert (
        element("text", "a < b", Markup("<b/>"), x=1.5, class_='"') == '<text x="1.5" class="&#34;">a &lt; b<b/></text>'
    )


def test_scales() -> None:
    assert Scale(1, 100, 0, 10, log=True)(10) == pytest.approx(5)
    assert Scale(0, 100, 10, 0)(25) == pytest.approx(7.5)


def test_ticks_are_round_and_span_the_range() -> None:
    assert nice_ticks(0.43, 0.97) == [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    assert nice_ticks(0.5, 0.5)[0] < 0.5 < nice_ticks(0.5, 0.5)[-1]
    assert log_ticks(0.4, 12) == [0.5, 1, 2, 5, 10]
    assert log_ticks(0.01, 1000) == pytest.approx([0.01, 0.1, 1, 10, 100, 1000])


def test_places_are_moved_as_little_as_it_takes() -> None:
    assert spread([10, 50], 5, 0, 100) == [10, 50]
    assert spread([10, 10, 10], 6, 0, 100) == [4, 10, 16]
    assert spread([1, 1], 6, 0, 100) == [0, 6]
    assert spread([99, 99, 99], 6, 0, 100) == [88, 94, 100]
