"""The names that others may rely on, and how little is loaded before it is needed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import understudy as us
from tests.newswire import ROOT
from understudy import registry

HEAVY = ("torch", "transformers", "tokenizers", "sklearn", "scipy", "lightgbm", "numpy")


def loaded_by(code: str, *arguments: str) -> set[str]:
    """The top-level packages that a fresh interpreter has loaded after running some code."""
    told = "import json, sys; print(); print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{told}", *arguments], capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_public_names_are_these() -> None:
    assert us.__all__ == [
        "Example",
        "Plan",
        "Prediction",
        "Recipe",
        "Run",
        "Span",
        "UnderstudyError",
        "break_even",
        "check",
        "choose",
        "finished",
        "load",
        "run",
    ]
    assert dir(us) == us.__all__


@pytest.mark.parametrize("name", us.__all__)
def test_a_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(us, name).__doc__
    assert getattr(us, name).__module__.startswith("understudy.")


def test_another_name_is_not_there() -> None:
    with pytest.raises(AttributeError, match="module 'understudy' has no attribute 'runn'"):
        us.runn  # noqa: B018


def test_all_public_names_can_be_imported_at_once() -> None:
    assert "understudy" in loaded_by("from understudy import *\nassert run and load and Example")


@pytest.mark.parametrize("arguments", [["--help"], ["check", "--help"], ["predict", "--help"], ["init", "/dev/null/x"]])
def test_the_command_line_starts_without_anything_heavy(arguments: list[str]) -> None:
    code = "import sys\nfrom understudy.cli import main\ntry: main()\nexcept SystemExit: pass"
    loaded = loaded_by(code, *arguments)
    assert "typer" in loaded
    assert not loaded & {*HEAVY, "aiohttp", "yaml"}


def test_the_package_is_imported_without_anything_heavy() -> None:
    assert not loaded_by("import understudy") & {*HEAVY, "typer", "rich", "pydantic", "yaml"}


def test_students_are_looked_up_and_recipes_read_without_torch_transformers_or_lightgbm() -> None:
    modules = [target.split(":")[0] for target in registry.STUDENTS.values()]
    imports = "\n".join(f"import {module}" for module in modules)
    full = str(ROOT / "recipes" / "newswire-desk-full.yaml")
    code = f"import sys\n{imports}\nfrom understudy.recipe import Recipe\nRecipe.load(sys.argv[1])"
    loaded = loaded_by(code, full)
    assert "yaml" in loaded
    assert not loaded & {"torch", "transformers", "tokenizers", "lightgbm"}


def test_types_are_shipped() -> None:
    assert (Path(us.__file__).parent / "py.typed").exists()
