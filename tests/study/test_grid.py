from pathlib import Path
from typing import Any

import pytest

from tests.study.support import write_study
from understudy.errors import DataError
from understudy.study.design import Study
from understudy.study.grid import Counts, arms_of, grid

COUNTS = Counts(gold=20, distilled=24)


def cells(folder: Path, **changed: Any) -> list[str]:
    return [cell.name for cell in grid(Study.load(write_study(folder, **changed)), COUNTS)]


def test_without_sizes_there_is_a_cell_for_each_student_and_mixture(tmp_path: Path) -> None:
    assert cells(tmp_path) == ["linear/gold", "linear/distilled", "linear/union"]


def test_a_size_of_one_source_meets_all_of_the_other_and_only_where_it_matters(tmp_path: Path) -> None:
    assert cells(tmp_path, gold=[10], distilled=[6, "all"]) == [
        "linear/gold",
        "linear/distilled",
        "linear/union",
        "linear/gold, 10 gold",
        "linear/union, 10 gold",
        "linear/distilled, 6 distilled",
        "linear/union, 6 distilled",
    ]


def test_crossed_sizes_meet_one_another(tmp_path: Path) -> None:
    found = cells(tmp_path, gold=[10], distilled=[6], crossed=True)
    assert found[3:] == ["linear/gold, 10 gold", "linear/distilled, 6 distilled", "linear/union, 10 gold, 6 distilled"]


def test_what_a_claim_speaks_of_is_trained_too(tmp_path: Path) -> None:
    claims = [{"claim": "x", "better": "union", "than": "gold", "gold": 5}]
    assert "linear/union, 5 gold" in cells(tmp_path, claims=claims)


def test_a_control_has_one_cell_and_one_arm(tmp_path: Path) -> None:
    study = Study.load(write_study(tmp_path, seeds=3))
    lead = study.recipe.students[0].model_copy(update={"name": "lead", "student": "lead"})
    study = study.model_copy(update={"recipe": study.recipe.model_copy(update={"students": (lead,)})})
    [cell] = grid(study, COUNTS)
    assert (cell.name, len(cell.arms)) == ("lead/gold", 1)


def test_every_arm_is_trained_once_and_judges_are_among_them(tmp_path: Path) -> None:
    path = write_study(tmp_path, mixtures=["weighted"], gold=[10], distilled=[6])
    arms = arms_of(grid(Study.load(path), COUNTS))
    assert len({arm.key for arm in arms}) == len(arms) == 2 * (2 + 1 + 2)
    assert all(arm.judge.key in {other.key for other in arms} for arm in arms if arm.judge is not None)


@pytest.mark.parametrize(("steps", "matched"), [("matched", True), ("own", False)])
def test_learning_from_few_takes_as_many_steps_where_that_is_wanted(tmp_path: Path, steps: str, matched: bool) -> None:
    study = Study.load(write_study(tmp_path, distilled=[6], steps=steps))
    assert {arm.matched for arm in arms_of(grid(study, COUNTS)) if not arm.whole} == {matched}
    assert {arm.matched for arm in arms_of(grid(study, COUNTS)) if arm.whole} == {False}


def test_more_than_there_is_cannot_be_learned_from(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="distilled: 25 of 24 examples to learn from; expected no more than there are"):
        cells(tmp_path, distilled=[25])
