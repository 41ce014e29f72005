"""Every step of an evaluation, on answers to every task."""

import json

import pytest

from tests.evaluation.samples import ITEMS, SAMPLES, Sample
from understudy import registry
from understudy.evaluation.choice import choose
from understudy.evaluation.learning_curve import learning_curve

each_task = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)


def test_every_task_has_a_sample() -> None:
    assert sorted(SAMPLES) == sorted(registry.names("task"))


@each_task
def test_every_metric_lies_within_its_interval_and_all_of_it_is_json(sample: Sample) -> None:
    board = sample.scoreboard()
    rows = board.rows()
    assert [row["student"] for row in rows] == ["teacher", "linear", "lstm", "linear"]
    for row in rows:
        for estimate in row["metrics"].values():
            assert 0 <= estimate["low"] <= estimate["mean"] <= estimate["high"]
    json.dumps([rows, board.comparisons()], allow_nan=False)


@each_task
def test_more_right_answers_are_significantly_better(sample: Sample) -> None:
    difference = sample.scoreboard().difference("linear/distilled", "linear/gold")
    assert difference.significant
    assert difference.difference > 0


@each_task
def test_a_metric_without_a_better_side_has_a_difference_and_no_p_value(sample: Sample) -> None:
    board = sample.scoreboard()
    found = {pair["metric"]: pair["p_value"] for pair in board.comparisons() if pair["b"] == "teacher"}
    assert {metric for metric, p_value in found.items() if p_value is None} == set(board.task.diagnostic)


@each_task
def test_the_best_of_the_fast_students_is_chosen(sample: Sample) -> None:
    board = sample.scoreboard()
    choice = choose(board)
    assert choice.contestant.name == "linear/distilled"
    assert "_" not in choice.sentence


@each_task
def test_a_learning_curve_goes_on_from_the_last_size(sample: Sample) -> None:
    board = sample.scoreboard()
    metric = board.task.headline
    curve = learning_curve(
        {size: board.distributions([sample.answers(size)])[metric] for size in (10, 20, 40)}, "linear", metric
    )
    assert [point["size"] for point in curve["forecast"]] == [80, 160]
    assert curve["points"][-1]["mean"] < curve["forecast"][0]["mean"] <= 1


@each_task
def test_confidence_is_held_against_whole_answers_where_they_can_be_right(sample: Sample) -> None:
    board = sample.scoreboard()
    metrics = board.distributions([sample.answers(ITEMS // 2, confidence=0.8)])
    assert ("ece" in metrics) == board.task.exact
    if board.task.exact:
        assert metrics["ece"].value == pytest.approx(0.3)
