from pathlib import Path

import pytest

from tests.newswire import ROOT, write_slice
from understudy.recipe import Recipe
from understudy.run_folder import RunFolder
from understudy.stages.arms import comparison_arms, curve_arms
from understudy.stages.train import all_arms
from understudy.students.linear import Linear


def recipe(folder: Path, points: int | None = None) -> Recipe:
    students = {"linear": {"c": 2.0}, "quick": {"student": "gbdt", "rounds": 2, "seeds": 1}}
    curve = None if points is None else {"student": "linear", "points": points}
    return Recipe.load(write_slice(folder, per_desk=1, pool=1, students=students, learning_curve=curve))


def test_every_student_is_trained_on_every_mixture_with_every_seed(tmp_path: Path) -> None:
    arms = list(comparison_arms(recipe(tmp_path)))
    assert [(arm.name, arm.seed) for arm in arms if arm.spec.name == "quick"] == [
        ("quick/gold", 0),
        ("quick/distilled", 0),
    ]
    assert sorted((arm.name, arm.seed) for arm in arms if arm.spec.name == "linear") == [
        ("linear/distilled", 0),
        ("linear/distilled", 1),
        ("linear/gold", 0),
        ("linear/gold", 1),
    ]


@pytest.mark.parametrize(
    ("mixtures", "only"), [(["distilled", "gold"], "lead/gold"), (["distilled"], "lead/distilled")]
)
def test_a_control_is_trained_once_whatever_mixtures_and_seeds_there_are(mixtures: list[str], only: str) -> None:
    made = Recipe.load(ROOT / "recipes" / "newswire-highlights.yaml")
    students = tuple(spec.model_copy(update={"seeds": 3}) for spec in made.students)
    arms = list(comparison_arms(made.model_copy(update={"students": students, "mixtures": tuple(mixtures)})))
    assert [(arm.name, arm.seed) for arm in arms if arm.control] == [(only, 0)]
    assert len(arms) == 1 + 3 * len(mixtures) * (len(students) - 1)


def test_an_arm_builds_its_student_with_the_recipes_settings_and_its_own_seed(tmp_path: Path) -> None:
    student = list(comparison_arms(recipe(tmp_path)))[1].student
    assert isinstance(student, Linear)
    assert (student.c, student.seed) == (2.0, 1)


def test_no_two_arms_share_a_file(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    arms = all_arms(recipe(tmp_path, points=4), 50)
    files = [file for arm in arms for file in (arm.folder(run), arm.record(run), arm.answers(run), arm.speed(run))]
    assert len(set(files)) == len(files) == 4 * len(arms)
    assert all(run.students in file.parents for file in files)


def test_the_curve_halves_down_from_all_examples_and_the_full_size_is_the_comparisons_own(tmp_path: Path) -> None:
    made = recipe(tmp_path, points=4)
    curve = curve_arms(made, 50)
    assert list(curve) == [6, 12, 25, 50]
    assert [arm.distilled for arm in curve[6]] == [6, 6]
    assert curve[50] == [arm for arm in comparison_arms(made) if arm.name == "linear/distilled"]
    assert len(all_arms(made, 50)) == 6 + 3 * 2


def test_a_curve_over_very_few_examples_has_no_size_twice_and_none_of_nothing(tmp_path: Path) -> None:
    assert list(curve_arms(recipe(tmp_path, points=12), 5)) == [1, 2, 5]
    assert curve_arms(recipe(tmp_path, points=3), 0) == {}
    assert curve_arms(recipe(tmp_path), 50) == {}
