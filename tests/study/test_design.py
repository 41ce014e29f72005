from pathlib import Path
from typing import Any

import pytest

from tests.study.support import write_study
from understudy.errors import RecipeError
from understudy.study.design import Study


def test_students_mixtures_and_seeds_are_the_studys_and_the_rest_is_the_recipes(tmp_path: Path) -> None:
    recipe = {"students": {"linear": {"c": 2.0}, "gbdt": None}, "learning_curve": {"student": "gbdt"}}
    path = write_study(tmp_path, recipe, students=["linear"], mixtures=["simple_mix"], seeds=4)
    made = Study.load(path).recipe
    assert [(spec.name, spec.settings, spec.seeds) for spec in made.students] == [("linear", {"c": 2.0}, 4)]
    assert made.mixtures == ("gold", "simple_mix")
    assert (made.name, made.learning_curve) == ("small-study", None)
    assert made.data.gold == tmp_path / "gold.jsonl"


def test_without_students_of_its_own_it_has_the_recipes(tmp_path: Path) -> None:
    path = write_study(tmp_path, {"students": {"linear": None, "quick": {"student": "gbdt", "rounds": 2}}})
    assert [spec.name for spec in Study.load(path).recipe.students] == ["linear", "quick"]


def test_a_students_settings_may_be_the_studys(tmp_path: Path) -> None:
    path = write_study(tmp_path, {"students": {"linear": {"c": 2.0}}}, students={"linear": {"c": 3.0}})
    assert Study.load(path).recipe.students[0].settings == {"c": 3.0}


def test_a_size_may_be_written_once(tmp_path: Path) -> None:
    study = Study.load(write_study(tmp_path, gold=12, distilled=[6, "all", 6]))
    assert (study.gold, study.distilled) == ((12,), (6, "all"))


@pytest.mark.parametrize(
    ("changed", "mistakes"),
    [
        ({"mixtures": None}, ["mixtures: missing"]),
        ({"mixtures": ["unoin"]}, ["mixtures.0: unknown mixture 'unoin'; did you mean 'union'?"]),
        ({"gold": [0]}, ["gold.0"]),
        ({"gold": ["half"]}, ["gold.0"]),
        ({"steps": "some"}, ["steps"]),
        ({"name": "../up"}, ["name"]),
        ({"sizes": [1]}, ["sizes"]),
        ({"students": ["linaer"]}, ["students.linaer: unknown student 'linaer'; did you mean 'linear'?"]),
        (
            {"claims": [{"claim": "x", "better": "simple_mix", "than": ["union", "nobody"]}]},
            [
                "claims.0.better: unknown mixture of this study 'simple_mix'; expected one of: gold, distilled, union",
                "claims.0.than: unknown mixture of this study 'nobody'; expected one of: gold, distilled, union, ",
            ],
        ),
        (
            {"claims": [{"claim": "x", "better": "union", "than": ["teecher"]}]},
            ["claims.0.than: unknown mixture of this study 'teecher'; did you mean 'teacher'?"],
        ),
    ],
)
def test_mistakes_are_told_with_their_paths(tmp_path: Path, changed: dict[str, Any], mistakes: list[str]) -> None:
    with pytest.raises(RecipeError) as error:
        Study.load(write_study(tmp_path, **changed))
    assert str(error.value).startswith(f"{tmp_path / 'study.yaml'}: ")
    for mistake in mistakes:
        assert mistake in str(error.value)


def test_a_study_without_its_recipe_says_which(tmp_path: Path) -> None:
    path = write_study(tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace("recipe.yaml", "gone.yaml"), encoding="utf-8")
    with pytest.raises(RecipeError, match=r"gone.yaml: 1 mistake in the recipe\n  cannot be read"):
        Study.load(path)
