import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

import understudy as us
from tests.newswire import LABELS, quality, rows, stamps, write_recipe, write_rows
from understudy.data.files import read_examples
from understudy.errors import DataError, RunError
from understudy.pipeline import Run
from understudy.run_folder import RunFolder
from understudy.teacher.teacher import Teacher


def run(recipe: Path) -> Run:
    return us.run(recipe, out=recipe.parent / "run")


# What a run leaves


def test_all_files_of_the_design_are_there_and_can_be_opened(newswire_run: Run, newswire_recipe: Path) -> None:
    path = newswire_run.path
    assert newswire_run.worked
    assert {entry.name for entry in path.iterdir() if not entry.name.startswith(".")} == {
        "recipe.yaml",
        "1-inputs.jsonl",
        "2-taught.jsonl",
        "3-clean.jsonl",
        "3-rejected.jsonl",
        "4-train.jsonl",
        "4-validation.jsonl",
        "4-test.jsonl",
        "5-students",
        "6-scores.json",
        "6-predictions.jsonl",
        "8-report.html",
    }
    assert (path / "recipe.yaml").read_text() == newswire_recipe.read_text()
    counts = {file.name: len(list(read_examples(file))) for file in sorted(path.glob("[1-4]-*.jsonl"))}
    assert counts == {
        "1-inputs.jsonl": 96 + 100 + 96,
        "2-taught.jsonl": 100 + 96,
        "3-clean.jsonl": 100,
        "3-rejected.jsonl": 0,
        "4-train.jsonl": 100 + 77,
        "4-validation.jsonl": 19,
        "4-test.jsonl": 96,
    }
    for file in path.rglob("*.jsonl"):
        assert all(type(row) is dict for row in rows(file))
    for file in path.rglob("*.json"):
        json.loads(file.read_text())
    assert newswire_run.report == path / "8-report.html"
    assert newswire_run.report.read_text().lower().startswith("<!doctype html>")


def is_number(value: Any) -> bool:
    return type(value) in {int, float} and math.isfinite(value)


def test_the_scores_have_the_promised_schema(newswire_run: Run) -> None:
    scores = json.loads((newswire_run.path / "6-scores.json").read_text())
    assert scores == newswire_run.scores
    assert scores["task"] == "classification"
    assert {"task", "rows", "teacher", "comparisons"} <= set(scores)
    for row in scores["rows"]:
        assert {"student", "mixture", "seeds", "metrics", "latency_ms", "size_bytes"} <= set(row)
        assert {"parameters", "train_seconds"} <= set(row)
        assert type(row["student"]) is str
        assert {"accuracy", "macro_f1"} <= set(row["metrics"])
        for estimate in row["metrics"].values():
            assert set(estimate) == {"mean", "low", "high"}
            assert all(is_number(value) for value in estimate.values())
            assert 0 <= estimate["low"] <= estimate["mean"] <= estimate["high"] <= 1
    students = [row for row in scores["rows"] if row["student"] != "teacher"]
    for row in students:
        assert type(row["mixture"]) is str
        assert row["seeds"] == 2
        assert set(row["latency_ms"]) == {"p50", "p95"}
        assert 0 < row["latency_ms"]["p50"] <= row["latency_ms"]["p95"]
        assert type(row["size_bytes"]) is int
        assert row["size_bytes"] > 0
        assert type(row["parameters"]) is int
        assert row["parameters"] > 0
        assert is_number(row["train_seconds"])
        assert any("calibration" in name or "ece" in name for name in row["metrics"])
    assert {(row["student"], row["mixture"]) for row in students} == {
        (student, mixture) for student in ("linear", "gbdt") for mixture in ("gold", "distilled", "simple_mix")
    }


def test_the_teacher_is_a_row_and_has_a_section(newswire_run: Run) -> None:
    scores = newswire_run.scores
    [teacher] = [row for row in scores["rows"] if row["student"] == "teacher"]
    assert (teacher["mixture"], teacher["latency_ms"], teacher["size_bytes"]) == (None, None, None)
    assert teacher["metrics"]["accuracy"]["mean"] > 0.9
    section = scores["teacher"]
    assert section["metrics"] == teacher["metrics"]
    assert section["model"] == "claude"
    assert section["requests"] == 196
    assert (section["tokens"], section["cost_usd"]) == (None, None)


def test_every_student_is_compared_with_the_teacher_and_with_gold_alone(newswire_run: Run) -> None:
    comparisons = newswire_run.scores["comparisons"]
    for found in comparisons:
        assert set(found) >= {"a", "b", "metric", "difference", "low", "high", "p_value"}
        assert found["low"] <= found["difference"] <= found["high"]
        assert 0 <= found["p_value"] <= 1
    pairs = {(found["a"], found["b"]) for found in comparisons if found["metric"] == "macro_f1"}
    students = ("linear", "gbdt")
    assert pairs == {
        *(
            (f"{student}/{mixture}", "teacher")
            for student in students
            for mixture in ("gold", "distilled", "simple_mix")
        ),
        *(
            (f"{student}/{mixture}", f"{student}/gold")
            for student in students
            for mixture in ("distilled", "simple_mix")
        ),
    }


def test_per_class_scores_confusion_curve_and_counts_are_told(newswire_run: Run) -> None:
    scores = newswire_run.scores
    for row in scores["rows"]:
        assert set(row["details"]["per_class"]) == set(LABELS)
        assert sum(map(sum, row["details"]["confusion"]["counts"])) == 96 * row["seeds"]
    assert [point["size"] for point in scores["learning_curve"]["points"]] == [25, 50, 100]
    assert scores["data"] == {
        "pool": 100,
        "gold": 96,
        "test": 96,
        "asked": 196,
        "distilled": 100,
        "train_gold": 77,
        "validation": 19,
        "rejected": {},
        "note": None,
    }


def test_the_chosen_student_is_loaded_and_answers(newswire_run: Run) -> None:
    text = "The striker scored twice before half-time as the visitors won the match."
    [answer] = newswire_run.student().predict([text])
    assert answer.target in LABELS
    assert answer.confidence is not None
    assert 0 < answer.confidence <= 1
    folder = newswire_run.path / newswire_run.scores["choice"]["folder"]
    assert us.load(folder).predict([text]) == [answer]
    assert us.load(str(folder)).predict([]) == []
    assert us.finished(newswire_run.path).student().predict([text]) == [answer]
    other = newswire_run.student("gbdt/gold")
    assert type(other).__name__ == "GBDT"


def test_a_student_that_was_not_trained_is_told_with_those_that_were(newswire_run: Run) -> None:
    for name in ("gbdt/union", "teacher", "gbdt"):
        with pytest.raises(RunError, match=f"no student '{name}'; expected one of: .*gbdt/gold"):
            newswire_run.student(name)


def test_a_folder_without_a_finished_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"no finished run \(no 6-scores\.json in it\)"):
        us.finished(tmp_path)
    for text in ("{}", "[]", '{"rows": ', "null"):
        (tmp_path / "6-scores.json").write_text(text)
        with pytest.raises(DataError, match=r"6-scores\.json: not "):
            us.finished(tmp_path)


# A second run


def test_a_second_run_does_nothing_and_touches_no_file(
    newswire_run: Run, newswire_recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stamps(newswire_run.path.parent)
    monkeypatch.setattr(Teacher, "annotate", None)
    again = us.run(newswire_recipe, out=newswire_run.path)
    assert not again.worked
    assert again.scores == newswire_run.scores
    assert stamps(newswire_run.path.parent) == before


def test_a_further_student_is_trained_and_nothing_else_is_done_again(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = stamps(run(small).path)
    monkeypatch.setattr(Teacher, "annotate", None)
    write_recipe(small.parent, seeds=1, students={"linear": None, "gbdt": {"rounds": 1, "max_features": 50}})
    again = run(small)
    assert again.worked
    after = stamps(again.path)
    written = {name for name in before if after[name] != before[name]}
    scores = {"6-scores.json", ".6-scores.json.fingerprint", "6-predictions.jsonl"}
    assert written == {"recipe.yaml", *scores, "8-report.html", ".8-report.html.fingerprint"}
    assert all("gbdt" in name for name in set(after) - set(before))
    assert {row["student"] for row in again.scores["rows"]} == {"teacher", "linear", "gbdt"}


def test_another_setting_of_one_student_trains_that_one_anew(small: Path) -> None:
    quick = {"student": "linear", "iterations": 5}
    write_recipe(small.parent, seeds=1, students={"linear": None, "quick": quick})
    before = stamps(run(small).path)
    write_recipe(small.parent, seeds=1, students={"linear": None, "quick": {**quick, "c": 1.0}})
    after = stamps(run(small).path)
    trained = {name for name in before if name.endswith(".fit.json") and after[name] != before[name]}
    assert trained == {f"5-students/{mixture}/quick/seed-0.fit.json" for mixture in ("gold", "distilled")}


def test_an_edited_training_file_is_kept_and_trained_on(small: Path) -> None:
    done = run(small)
    folder = RunFolder(done.path)
    before = stamps(done.path)
    kept = rows(folder.clean)[:15]
    write_rows(folder.clean, kept)
    again = run(small)
    after = stamps(done.path)
    assert again.worked
    assert rows(folder.clean) == kept
    assert again.scores["data"]["distilled"] == 15
    assert after["2-taught.jsonl"] == before["2-taught.jsonl"]
    assert after["5-students/distilled/linear/seed-0.fit.json"] > before["5-students/distilled/linear/seed-0.fit.json"]
    assert not run(small).worked


@pytest.mark.parametrize(
    "gone",
    [
        "1-inputs.jsonl",
        "3-rejected.jsonl",
        "4-test.jsonl",
        "4-validation.jsonl",
        "5-students/gold/linear/seed-0",
        "5-students/gold/linear/seed-0.speed.json",
        "6-predictions.jsonl",
        "6-scores.json",
        "8-report.html",
        "5-students",
    ],
)
def test_what_somebody_removed_is_made_again(small: Path, gone: str) -> None:
    done = run(small)
    path = done.path / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    again = run(small)
    assert again.worked
    assert path.exists()
    assert quality(again.scores) == quality(done.scores)


def test_two_runs_in_one_folder_are_not_let_in(small: Path) -> None:
    with (
        RunFolder(small.parent / "run").locked(),
        pytest.raises(RunError, match="another run is at work in this folder; wait for it, or use --out"),
    ):
        run(small)
    assert run(small).worked


def test_without_out_a_run_lives_under_its_name(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(small.parent)
    assert us.run("recipe.yaml").path == Path("runs/small")
    assert us.finished("runs/small").scores["name"] == "small"


def test_a_copied_recipe_is_not_copied_onto_itself(small: Path) -> None:
    done = run(small)
    kept = done.path / "recipe.yaml"
    text = kept.read_text()
    with pytest.raises(DataError, match="cannot be read"):
        us.run(kept, out=done.path)  # its paths lead nowhere from there
    assert kept.read_text() == text


# Bad data on the way


def test_a_mistake_in_the_data_leaves_nothing_that_is_taken_for_finished(small: Path) -> None:
    pool = small.parent / "pool.jsonl"
    sound = pool.read_text()
    pool.write_text(sound + '{"text": \n')
    with pytest.raises(DataError, match=r"pool\.jsonl:25: not JSON"):
        run(small)
    assert not list((small.parent / "run").glob("[1-8]-*"))
    pool.write_text(sound)
    assert run(small).scores["data"]["pool"] == 24


def test_without_gold_students_learn_from_the_teacher_alone(small: Path) -> None:
    write_recipe(small.parent, data={"gold": None}, mixtures=["distilled"], seeds=1)
    scores = run(small).scores
    assert [(row["student"], row["mixture"]) for row in scores["rows"]] == [("teacher", None), ("linear", "distilled")]
    assert {(found["a"], found["b"]) for found in scores["comparisons"]} == {("linear/distilled", "teacher")}
