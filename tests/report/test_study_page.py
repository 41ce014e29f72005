import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.report.pages import Page
from tests.report.studies import ALL_MIXTURES, make_findings
from tests.report.test_page import HOSTILE
from understudy.errors import DataError
from understudy.report.study_page import write_study

Pages = Callable[..., Page]


@pytest.fixture
def page(tmp_path: Path) -> Pages:
    """Writes a study's page and takes it apart; the findings may be of fewer arms, or edited before."""

    def write(*arms: tuple[str, ...], **changed: Any) -> Page:
        found = {**make_findings(*arms), **changed}
        (tmp_path / "6-study.json").write_text(json.dumps(found, allow_nan=False), encoding="utf-8")
        return Page(write_study(tmp_path).read_text(encoding="utf-8"))

    return write


def test_the_claims_come_first_with_their_verdicts(page: Pages) -> None:
    found = page()
    assert "Of 3 claims: 1 supported, 1 contradicted, 1 not shown." in found.text("answer")
    said = found.text("claims")
    assert "✗ Contradicted The student is as good as its teacher" in said
    assert (
        "simple mix is worse than teacher: −0.110 [−0.138, −0.083] macro-F1 over 4 students; corrected p = 0.008"
        in said
    )
    sections = [str(attributes["id"]) for tag, attributes in found.tags if tag == "section"]
    assert sections == ["claims", "rows", "mixtures", "curves", "regimens", "pareto", "comparisons", "measured"]


def test_the_page_is_whole_and_loads_nothing(page: Pages) -> None:
    found = page()
    assert not found.faults
    assert not found.open
    assert not [tag for tag, _ in found.tags if tag in {"script", "link", "img", "iframe"}]
    assert not [attributes for _, attributes in found.tags if "src" in attributes]
    links = {attributes["href"] for tag, attributes in found.tags if tag == "a"}
    assert links == {f"#{attributes['id']}" for tag, attributes in found.tags if tag == "section"}


def test_every_mixture_has_its_regimen_and_its_row(page: Pages) -> None:
    found = page()
    for mixture in ALL_MIXTURES:
        assert mixture.replace("_", " ") in found.text("regimens")
        assert mixture.replace("_", " ") in found.text("mixtures")
    assert found.text("regimens").count("progress of training") == len(ALL_MIXTURES)


def test_how_it_was_measured_tells_counts_seeds_and_steps(page: Pages) -> None:
    said = page().text("measured")
    for part in ("96 gold and 862 distilled", "(m = 0.900)", "24 for validation, 120 test", "lstm 600", "Holm"):
        assert part in said
    assert "Each arm as many as its own examples call for" in page(steps="own").text("measured")


def test_a_hostile_name_is_text_wherever_it_stands(page: Pages) -> None:
    found = make_findings(("lstm",), ("gold", "union"))
    text = json.dumps(found).replace('"lstm', json.dumps(HOSTILE)[:-1]).replace('"union', json.dumps(HOSTILE)[:-1])
    hostile = page(**{**json.loads(text), "headline": "macro_f1", "name": HOSTILE, "note": HOSTILE, "study": HOSTILE})
    assert not hostile.faults
    assert not [tag for tag, _ in hostile.tags if tag in {"script", "img"}]
    assert "alert(1)" in hostile.text("claims")
    assert "{{ 7*7 }}" in hostile.text("answer")


EMPTY: dict[str, Any] = {"rows": [], "claims": [], "controls": [], "curves": [], "shares": {}, "teacher": None}


@pytest.mark.parametrize("left", [*EMPTY, "none"])
def test_what_is_empty_leaves_a_sound_page(page: Pages, left: str) -> None:
    found = page(**{key: value for key, value in EMPTY.items() if key == left or left == "none"})
    assert not found.faults
    assert "None" not in found.text()
    sections = {str(attributes["id"]) for tag, attributes in found.tags if tag == "section"}
    assert {"rows", "measured"} <= sections


def test_an_empty_study_says_that_nothing_was_measured(page: Pages) -> None:
    found = page(**EMPTY)
    assert "0 arms compared; no claim was put to the test." in found.text("answer")
    assert "No arm was measured on all examples." in found.text("rows")


@pytest.mark.parametrize("student", ["linear", "lstm"])
def test_one_student_is_a_study_too(page: Pages, student: str) -> None:
    found = page((student,))
    assert not found.faults
    assert "over 1 students" not in found.text()
    assert f"The best of 11 arms is {student}" in found.text("answer")


def test_bare_rows_are_enough(page: Pages) -> None:
    row = {"student": "linear", "mixture": "gold", "metrics": {"macro_f1": {"mean": 0.5}}}
    found = page(**{**EMPTY, "rows": [row], "counts": {}})
    assert not found.faults
    assert "not recorded gold" in found.text("measured")


def test_a_study_without_findings_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        write_study(tmp_path)
    assert not list(tmp_path.iterdir())
