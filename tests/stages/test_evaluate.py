from dataclasses import replace
from pathlib import Path

import pytest

from tests.newswire import rows, write_highlights, write_recipe, write_slice
from tests.stages.support import Desk
from tests.teacher.fake_endpoint import Act, FakeEndpoint
from tests.teacher.support import Noted
from understudy import pipeline
from understudy.data.files import read_json, write_examples, write_records
from understudy.errors import TeacherError
from understudy.example import Example
from understudy.pipeline import Run
from understudy.recipe import Recipe
from understudy.run_folder import RunFolder
from understudy.stages.arms import comparison_arms
from understudy.stages.evaluate import evaluate
from understudy.stages.teach import check_yardstick
from understudy.students.student import load


def test_what_an_arm_answered_is_what_its_saved_student_says(newswire_run: Run, newswire_recipe: Path) -> None:
    run, recipe = RunFolder(newswire_run.path), Recipe.load(newswire_recipe)
    test = rows(run.test)
    for arm in comparison_arms(recipe):
        if arm.seed == 1:
            said = load(arm.folder(run)).predict([row["text"] for row in test])
            expected = [{"id": row["id"], **answer.to_json()} for row, answer in zip(test, said, strict=True)]
            assert rows(arm.answers(run)) == expected


def test_predictions_stand_side_by_side_with_the_right_answer_and_the_teachers(newswire_run: Run) -> None:
    run = RunFolder(newswire_run.path)
    found, test = rows(run.predictions), rows(run.test)
    names = {f"{row['student']}/{row['mixture']}" for row in newswire_run.scores["rows"] if row["mixture"]}
    taught = {row["id"]: row["target"] for row in rows(run.taught)}
    assert [(row["id"], row["text"], row["gold"]) for row in found] == [
        (row["id"], row["text"], row["target"]) for row in test
    ]
    for row in found:
        assert set(row["predictions"]) == names
        assert row["teacher"] == {"target": taught[row["id"]], "confidence": None}


def test_the_rows_scores_are_those_of_the_answers(newswire_run: Run) -> None:
    run = RunFolder(newswire_run.path)
    gold = {row["id"]: row["target"] for row in rows(run.test)}
    for row in newswire_run.scores["rows"][1:]:
        answers = [rows(run.path / f"{row['folder'].removesuffix('0')}{seed}.test.jsonl") for seed in range(2)]
        right = [answer["target"] == gold[answer["id"]] for seed in answers for answer in seed]
        assert row["metrics"]["accuracy"]["mean"] == pytest.approx(sum(right) / len(right))


@pytest.mark.usefixtures("hurried")
def test_every_student_is_held_against_the_control_which_is_trained_once_and_never_chosen(tmp_path: Path) -> None:
    done = pipeline.run(write_highlights(tmp_path, {"lead": {"sentences": 2}, "linear": None}), tmp_path / "run")
    scores = done.scores
    assert [(row["student"], row["mixture"], row["seeds"]) for row in scores["rows"] if row["control"]] == [
        ("lead", "gold", 1)
    ]
    assert scores["choice"]["student"] == "linear"
    met = {pair["a"] for pair in scores["comparisons"] if pair["b"] == "lead/gold"}
    assert met == {"linear/gold", "linear/distilled"}
    assert all(row["predictions"]["lead/gold"]["confidence"] is None for row in rows(RunFolder(done.path).predictions))
    assert "Against the control" in done.report.read_text(encoding="utf-8")


@pytest.mark.usefixtures("hurried")
def test_edited_answers_of_a_student_are_scored_anew(tmp_path: Path) -> None:
    path = write_slice(tmp_path, per_desk=2, pool=24, seeds=1)
    done = pipeline.run(path, tmp_path / "run")
    recipe, run = Recipe.load(path), RunFolder(done.path)
    [gold] = [arm for arm in comparison_arms(recipe) if arm.mixture == "gold"]
    right = {row["id"]: row["target"] for row in rows(run.test)}
    write_records(gold.answers(run), [{"id": name, "target": desk, "confidence": 1.0} for name, desk in right.items()])
    assert evaluate(recipe, run, Noted())
    [row] = [row for row in read_json(run.scores)["rows"] if row["mixture"] == "gold"]
    assert row["metrics"]["accuracy"]["mean"] == 1.0
    assert not evaluate(recipe, run, Noted())


def test_a_teacher_that_was_not_heard_on_the_test_set_is_not_scored_as_wrong(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    heard = Example(id="t1", text="one", target="sport", source="test")
    unheard = Example(id="t2", text="two", target="sport", source="test")
    write_examples(run.inputs, [heard, unheard])
    write_examples(
        run.taught,
        [
            Example(id="t1", text="one", source="annotated", meta={"reply": "no idea", "rejected": "not JSON"}),
            Example(id="t2", text="two", source="annotated", meta={"rejected": "no answer in 6 attempts"}),
        ],
    )
    with pytest.raises(TeacherError, match=r"1 of 2 test texts .*t2: no answer in 6 attempts"):
        check_yardstick(run)


def test_a_test_text_whose_row_was_removed_was_not_heard_on(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    write_examples(run.inputs, [Example(id=f"t{i}", text=f"{i}", target="sport", source="test") for i in range(2)])
    write_examples(run.taught, [Example(id="t0", text="0", source="annotated", meta={"reply": "sport"})])
    with pytest.raises(TeacherError, match=r"1 of 2 test texts \(the first, t1: no row in 2-taught\.jsonl; remove"):
        check_yardstick(run)


@pytest.mark.usefixtures("hurried")
def test_every_reply_is_counted_and_only_answers_to_the_teams_texts_are_timed(tmp_path: Path) -> None:
    desk = Desk()

    def slow_to_write(asked: str) -> Act:
        act = desk(asked)
        return replace(act, delay=0.5) if "\nlabel: " in asked else act

    with FakeEndpoint(respond=slow_to_write) as fake:
        write_slice(tmp_path, per_desk=2, pool=24)
        path = write_recipe(
            tmp_path,
            seeds=1,
            teacher={"replies": None, "base_url": fake.base_url, "max_attempts": 1, "price": {"input": 1, "output": 1}},
            generate={"from": "attributes", "count": 24, "self_check": "correct"},
        )
        scores = pipeline.run(path, tmp_path / "run").scores
        asked = len(fake.requests)
    assert asked == 48 + (1 + 12) + 24 + 24
    assert scores["teacher"]["requests"] == asked
    assert scores["teacher"]["tokens"] == {"input": 100 * asked, "output": 20 * asked}
    assert scores["teacher"]["cost_usd"] == pytest.approx(scores["teacher"]["spent_usd"])
    assert scores["rows"][0]["latency_ms"]["p95"] > 0


@pytest.mark.usefixtures("hurried")
def test_how_patiently_the_teacher_is_asked_changes_no_comparison(tmp_path: Path) -> None:
    run = tmp_path / "run"
    pipeline.run(write_slice(tmp_path, per_desk=2, pool=24, seeds=1), run)
    patient = {"concurrency": 2, "timeout": 5, "budget": {"usd": 1.0}, "price": {"input": 0, "output": 0}}
    priced = pipeline.run(write_recipe(tmp_path, seeds=1, teacher=patient), run)
    assert priced.worked  # the price stands in the scores
    more_patient = {**patient, "concurrency": 3, "timeout": 50, "budget": {"usd": 2.0}}
    assert not pipeline.run(write_recipe(tmp_path, seeds=1, teacher=more_patient), run).worked
    assert pipeline.run(write_recipe(tmp_path, seeds=1, teacher=patient, data={"note": "ours"}), run).worked
