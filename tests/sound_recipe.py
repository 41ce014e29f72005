"""A sound recipe, and what becomes of one in which something is changed."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from understudy.errors import RecipeError
from understudy.recipe import Recipe

SOUND: dict[str, Any] = {
    "name": "sound",
    "task": {"type": "classification", "labels": ["a", "b"]},
    "data": {"pool": "pool.jsonl", "gold": "gold.jsonl", "test": "test.jsonl"},
    "teacher": {"model": "m", "base_url": "http://localhost:1/v1"},
    "students": {"linear": None},
}


def write(folder: Path, text: str) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def load(folder: Path, **changed: Any) -> Recipe:
    kept = {name: value for name, value in {**SOUND, **changed}.items() if value is not ...}
    return Recipe.load(write(folder, yaml.safe_dump(kept, sort_keys=False)))


def problems(folder: Path, **changed: Any) -> list[str]:
    with pytest.raises(RecipeError) as caught:
        load(folder, **changed)
    return caught.value.problems


def yaml_problems(path: Path) -> list[str]:
    with pytest.raises(RecipeError) as caught:
        Recipe.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    return caught.value.problems
