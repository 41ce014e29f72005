"""Every recipe that is shipped can be read, and names data that is there."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.newswire import ROOT
from understudy.cli import app
from understudy.recipe import Recipe

RECIPES = sorted((ROOT / "recipes").glob("**/*.yaml"))


def test_there_are_recipes() -> None:
    assert {path.stem for path in RECIPES} >= {"newswire-desk", "newswire-desk-full"}


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_shipped_recipe_is_sound_and_its_files_are_there(path: Path) -> None:
    recipe = Recipe.load(path)
    assert recipe.name == path.stem
    files = [recipe.data.pool, recipe.data.test, recipe.data.gold]
    for recording in recipe.teacher.replies:
        files += [recording.requests, recording.replies]
    assert recipe.data.pool is not None or recipe.generate is not None
    assert all(file.is_file() for file in files if file is not None)


def test_the_teachers_documentation_names_every_recipe_for_a_teacher() -> None:
    told = (ROOT / "docs" / "teachers.md").read_text(encoding="utf-8")
    for path in (ROOT / "recipes" / "teachers").glob("*.yaml"):
        assert f"(../recipes/teachers/{path.name})" in told


def test_the_demos_grid_is_small_and_the_full_one_is_whole() -> None:
    demo, full = (Recipe.load(ROOT / "recipes" / f"newswire-desk{suffix}.yaml") for suffix in ("", "-full"))
    assert {spec.name for spec in demo.students} >= {"linear", "gbdt", "encoder"}
    assert set(demo.mixtures) >= {"gold", "distilled", "simple_mix"}
    assert {spec.name for spec in full.students} == {"linear", "gbdt", "lstm", "encoder"}
    assert set(full.mixtures) == {"gold", "distilled", "union", "simple_mix"}
    assert all(spec.seeds >= 3 for recipe in (demo, full) for spec in recipe.students if spec.name != "encoder")
    assert demo.task == full.task


def test_the_starter_that_init_writes_is_sound(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    assert CliRunner().invoke(app, ["init", str(path)]).exit_code == 0
    recipe = Recipe.load(path)
    assert recipe.teacher.api_key_env == "OPENAI_API_KEY"
    assert recipe.learning_curve is not None
    assert path.read_text(encoding="utf-8").count("#") > 10
