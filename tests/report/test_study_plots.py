import xml.etree.ElementTree as ET

import pytest

from tests.report.test_plots import inside, point
from understudy.report import plots
from understudy.report.markers import Style
from understudy.report.scores import CurvePoint
from understudy.report.study_plots import Trace, regimen

FALLING = [(u / 100, 1 - u / 100) for u in range(101)]


def trace(student: int, *scores: float) -> Trace:
    course = [(place / max(1, len(scores) - 1), score) for place, score in enumerate(scores)]
    return Trace(f"s{student}", Style(student, 1), course)


def lines(root: ET.Element, class_: str) -> list[list[tuple[float, float]]]:
    found = [node.attrib["points"].split() for node in root.iter("polyline") if node.get("class") == class_]
    return [[(float(x), float(y)) for x, y in (each.split(",") for each in points)] for points in found]


def test_the_share_falls_from_one_to_zero_over_the_whole_width() -> None:
    root = ET.fromstring(regimen("linear", FALLING, [], (0, 1), "macro-F1"))
    share = lines(root, "share-line")[0]
    grid = [float(node.attrib["y1"]) for node in root.iter("line") if node.get("class") == "grid"]
    assert (share[0][1], share[-1][1]) == (min(grid), max(grid))
    assert share[0][0] < share[-1][0]


def test_students_below_the_share_are_told_apart_without_colour() -> None:
    root = ET.fromstring(regimen("union", FALLING, [trace(0, 0.2, 0.8), trace(1, 0.3, 0.6)], (0.2, 0.8), "macro-F1"))
    dashes = [node.get("stroke-dasharray") for node in root.iter("polyline") if node.get("class") == "curve"]
    assert len(set(dashes)) == 2
    assert "s0 ends at 0.800; s1 ends at 0.600" in str(root.get("aria-label"))
    higher, lower = lines(root, "curve")
    assert higher[-1][1] < lower[-1][1]


@pytest.mark.parametrize("scores", [(0.5, 0.5), (-3.0, 40.0), (0.0, 1.0)])
def test_every_validation_score_lies_within_the_drawing(scores: tuple[float, float]) -> None:
    root = ET.fromstring(regimen("union", [], [trace(0, *scores), trace(1, scores[0])], scores, "chrF"))
    width, height = map(float, root.attrib["viewBox"].split()[2:])
    assert inside(root, width, height)
    assert all(0 <= y <= height for line in lines(root, "curve") for _, y in line)


def test_the_front_holds_the_best_arm_of_each_student_that_beats_all_cheaper_ones() -> None:
    cheap, worse = point("cheap", 1, 0.7, n=0), point("cheap", 1.01, 0.6, n=0)
    slow_and_worse, slow = point("waste", 5, 0.65, n=1), point("slow", 20, 0.9, n=2)
    assert plots.pareto([worse, slow, slow_and_worse, cheap]) == [cheap, slow]
    assert plots.pareto([]) == []


def test_the_front_is_a_staircase_through_the_ringed_arms() -> None:
    points = [
        point("cheap", 1, 0.7, chosen=True),
        point("waste", 5, 0.6, n=1),
        point("slow", 20, 0.9, chosen=True, n=2),
    ]
    root = ET.fromstring(plots.quality_by_cost(points, None, "F1", plots.SIZE, width=1000, height=400, joined=True))
    (front,) = lines(root, "front")
    rings = sorted(
        (float(n.attrib["cx"]), float(n.attrib["cy"])) for n in root.iter("circle") if n.get("class") == "ring"
    )
    assert front[0] == pytest.approx(rings[0], abs=0.1)
    assert front[2] == pytest.approx(rings[1], abs=0.1)
    assert [x for x, _ in front] == sorted(x for x, _ in front)
    assert "in 20.0 MB" not in str(root.get("aria-label"))
    assert "with 20.0 MB" in str(root.get("aria-label"))


def test_many_mixtures_of_a_student_stay_near_where_it_lies() -> None:
    points = [
        point(name, cost, 0.5 + n / 50, n=n) for name, cost in (("a", 1), ("b", 10), ("c", 100)) for n in range(11)
    ]
    root = ET.fromstring(plots.quality_by_cost(points, None, "F1", width=1000, height=400))
    places = sorted(float(node.attrib["x1"]) for node in root.iter("line") if node.get("class") == "whisker")[:11]
    assert max(places) - min(places) <= 140


def test_curves_of_several_mixtures_have_signs_of_their_own_and_one_scale() -> None:
    known = [CurvePoint(size=n, mean=n / 1000, low=0.0, high=0.9) for n in (100, 200, 400)]
    drawn = [plots.Line(known, (), "union", Style(0, 2)), plots.Line(known[:2], known[2:], "gold", Style(0, 0))]
    root = ET.fromstring(plots.curves(drawn, None, "macro-F1", "gold examples", width=480, height=340))
    assert inside(root, 480, 340)
    assert "macro-F1 by number of gold examples: union: 100: 0.100" in str(root.get("aria-label"))
    assert [len(line) for line in lines(root, "curve")] == [3, 2]
    assert "gold, 100 examples: 0.100 [0.000, 0.900]" in [node.text for node in root.iter("title")]
