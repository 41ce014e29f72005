import xml.etree.ElementTree as ET

import pytest

from tests.report.test_plots import inside
from understudy.report.money import break_even, payback
from understudy.report.scores import Teacher


@pytest.mark.parametrize("cost", [1e-6, 2.16, 48_000.0])
@pytest.mark.parametrize("requests", [1, 1_080, 3_000_000])
@pytest.mark.parametrize("width", [1000, 358])
def test_the_lines_cross_where_the_teacher_has_cost_as_much_as_teaching(cost: float, requests: int, width: int) -> None:
    found = payback(Teacher(cost_usd=cost, requests=requests))
    assert found is not None
    assert found.calls == pytest.approx(requests)
    root = ET.fromstring(break_even(found, width=width, height=280))
    assert inside(root, width, 280)
    dot = next(node for node in root.iter("circle"))
    (_, rising_to), (level, _) = (
        [each.split(",") for each in n.attrib["points"].split()] for n in root.iter("polyline")
    )
    assert float(dot.attrib["cy"]) == pytest.approx(float(level[1]), abs=0.1)
    assert float(rising_to[1]) < float(level[1])


@pytest.mark.parametrize("teacher", [None, Teacher(), Teacher(cost_usd=0.0, requests=9), Teacher(cost_usd=1.0)])
def test_nothing_pays_back_where_no_price_is_known(teacher: Teacher | None) -> None:
    assert payback(teacher) is None
