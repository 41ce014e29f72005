"""A teacher that has answered only what is learned from, and can be asked no more."""

from pathlib import Path

import pytest

import understudy as us
from tests.newswire import NEWSWIRE, rows, write_rows, write_slice
from tests.study.support import write_study
from understudy.data.files import read_json
from understudy.errors import RecipeError, TeacherError
from understudy.study.conduct import conduct
from understudy.study.design import Study


def of_pool(folder: Path) -> dict[str, str]:
    """The recorded answers without those to test texts."""
    test = {row["id"] for row in rows(NEWSWIRE / "test.jsonl")}
    recording = {kind: folder / f"{kind}.jsonl" for kind in ("requests", "replies")}
    for kind, path in recording.items():
        every = rows(NEWSWIRE / kind / "desk.jsonl")
        write_rows(path, [row for row in every if row["custom_id"].removeprefix("desk/") not in test])
    return {kind: str(path) for kind, path in recording.items()}


def test_its_students_are_compared_with_one_another(tmp_path: Path) -> None:
    teacher = {"replies": of_pool(tmp_path), "compared": False}
    run = us.run(write_slice(tmp_path, per_desk=2, pool=24, teacher=teacher), tmp_path / "run")
    assert {row["student"] for row in run.scores["rows"]} == {"linear"}
    assert run.scores["teacher"]["model"] == "claude"
    assert {found["b"] for found in run.scores["comparisons"]} == {"linear/gold"}
    assert "The teacher was not asked about the test texts" in run.report.read_text(encoding="utf-8")


def test_unless_that_is_said_its_silence_stops_the_run(tmp_path: Path) -> None:
    path = write_slice(tmp_path, per_desk=2, pool=24, teacher={"replies": of_pool(tmp_path)})
    with pytest.raises(TeacherError, match="has not answered 24 of 24 test texts"):
        us.run(path, tmp_path / "run")


def test_what_it_would_be_asked_is_told_without_the_test_texts(tmp_path: Path) -> None:
    plan = us.check(write_slice(tmp_path, per_desk=2, pool=24, teacher={"compared": False}), tmp_path / "run")
    assert (plan.forecast.rows, plan.skipped) == (24, 0)


def test_a_study_does_without_it_too(tmp_path: Path) -> None:
    path = write_study(tmp_path, {"teacher": {"compared": False}}, seeds=1)
    found = conduct(path, tmp_path / "out", jobs=1)
    assert read_json(found.path / "6-study.json")["teacher"]["metrics"] == {}
    assert found.report.is_file()


def test_a_study_makes_no_claim_about_it(tmp_path: Path) -> None:
    claims = [{"claim": "x", "better": "union", "than": "teacher"}]
    with pytest.raises(RecipeError, match="claims: the recipe's teacher is not compared; expected mixtures alone"):
        Study.load(write_study(tmp_path, {"teacher": {"compared": False}}, claims=claims))
