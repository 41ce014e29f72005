"""The studies that come with the project."""

from pathlib import Path

import pytest

from tests.newswire import ROOT
from understudy.recipe.document import read_document
from understudy.study.design import Study

STUDIES = sorted((ROOT / "studies").glob("*.yaml"))
OURS = [path for path in STUDIES if (path.parent / read_document(path)["recipe"]).exists()]
PUBLIC = [path for path in STUDIES if "/runs/" in read_document(path)["recipe"]]


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_every_study_is_sound(path: Path) -> None:
    study = Study.load(path)
    assert study.name
    assert study.claims


@pytest.mark.parametrize("path", PUBLIC, ids=lambda path: path.stem)
def test_a_study_of_public_data_says_how_its_recipe_is_made(path: Path) -> None:
    assert "python -m benchmarks." in path.read_text(encoding="utf-8")


def test_none_is_left_out() -> None:
    assert {path.stem for path in OURS} >= {"mixtures-desk", "huang2024", "ding2024"}
    assert {*OURS, *PUBLIC} == {*STUDIES}
