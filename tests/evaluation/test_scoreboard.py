import json

import pytest

from tests.evaluation.support import GOLD, TASK, TEXTS, arm
from understudy.evaluation.scoreboard import Scoreboard
from understudy.example import Prediction

TEACHER = arm("teacher", None, range(4))
CONTROL = arm("linear", "gold", range(60), range(64), confidence=0.9)
DISTILLED = arm("linear", "distilled", range(20), range(24), confidence=0.9)
OTHER = arm("gbdt", "distilled", range(30), confidence=0.9)


@pytest.fixture(scope="module")
def board() -> Scoreboard:
    return Scoreboard(TASK, GOLD, TEXTS, [CONTROL, OTHER, TEACHER, DISTILLED])


def test_the_teacher_comes_first_and_then_the_best(board: Scoreboard) -> None:
    rows = board.rows()
    assert [(row["student"], row["mixture"]) for row in rows] == [
        ("teacher", None),
        ("linear", "distilled"),
        ("gbdt", "distilled"),
        ("linear", "gold"),
    ]
    assert [row["seeds"] for row in rows] == [1, 2, 1, 2]


def test_the_teacher_comes_first_even_where_it_is_worse() -> None:
    board = Scoreboard(TASK, GOLD, TEXTS, [arm("linear", "gold", range(2)), arm("teacher", None, range(90))])
    assert [row["student"] for row in board.rows()] == ["teacher", "linear"]


def test_metrics_are_the_mean_over_seeds_with_an_interval(board: Scoreboard) -> None:
    row = board.rows()[1]
    assert row["metrics"]["accuracy"]["mean"] == pytest.approx((180 / 200 + 176 / 200) / 2)
    assert row["metrics"]["accuracy"]["low"] < 0.89 < row["metrics"]["accuracy"]["high"]
    assert row["metrics"]["ece"]["mean"] == pytest.approx(0.01)
    assert row["details"]["per_class"]["a"]["support"] == len(GOLD)
    assert row["size_bytes"] == 7


def test_calibration_needs_a_confidence_for_every_answer(board: Scoreboard) -> None:
    assert ["ece" in row["metrics"] for row in board.rows()] == [False, True, True, True]


def test_every_student_meets_the_teacher_and_its_own_control(board: Scoreboard) -> None:
    pairs = {(pair["a"], pair["b"], pair["metric"]) for pair in board.comparisons()}
    quality = {"accuracy", "macro_f1"}
    assert pairs == {
        *(("linear/gold", "teacher", metric) for metric in quality),
        *(("gbdt/distilled", "teacher", metric) for metric in quality),
        *(("linear/distilled", "teacher", metric) for metric in quality),
        *(("linear/distilled", "linear/gold", metric) for metric in (*quality, "ece")),
    }


def test_every_student_meets_a_control_and_the_control_only_the_teacher() -> None:
    control = arm("lead", "gold", range(50), control=True)
    board = Scoreboard(TASK, GOLD, TEXTS, [TEACHER, control, CONTROL, DISTILLED])
    pairs = {(pair["a"], pair["b"]) for pair in board.comparisons() if pair["metric"] == "macro_f1"}
    assert pairs == {
        ("lead/gold", "teacher"),
        ("linear/gold", "teacher"),
        ("linear/gold", "lead/gold"),
        ("linear/distilled", "teacher"),
        ("linear/distilled", "linear/gold"),
        ("linear/distilled", "lead/gold"),
    }
    assert {row["student"] for row in board.rows() if row["control"]} == {"lead"}


def test_a_comparison_says_by_how_much_and_how_surely(board: Scoreboard) -> None:
    pair = next(pair for pair in board.comparisons() if pair["b"] == "linear/gold" and pair["metric"] == "accuracy")
    assert pair["difference"] == pytest.approx(0.2)
    assert 0 < pair["low"] < 0.2 < pair["high"]
    assert pair["p_value"] < 0.01
    assert board.difference("linear/distilled", "linear/gold").significant
    assert board.difference("teacher", "teacher").p_value == 1.0


def test_all_of_it_is_json(board: Scoreboard) -> None:
    json.dumps([board.rows(), board.comparisons()], allow_nan=False)


def test_without_gold_there_is_no_control_to_meet() -> None:
    board = Scoreboard(TASK, GOLD, TEXTS, [TEACHER, DISTILLED])
    assert {pair["b"] for pair in board.comparisons()} == {"teacher"}


def test_answers_that_were_refused_count_as_wrong() -> None:
    refused = arm("teacher", None, range(0))
    answers = [type(answer)(None) if place < 50 else answer for place, answer in enumerate(refused.predictions[0])]
    board = Scoreboard(TASK, GOLD, TEXTS, [type(refused)(student="teacher", mixture=None, predictions=[answers])])
    assert board.rows()[0]["metrics"]["accuracy"]["mean"] == 0.75


def test_a_calibration_error_lies_within_its_interval() -> None:
    answers = [Prediction(label, 0.55 + 0.004 * place) for place, label in enumerate(GOLD)]
    ece = Scoreboard(TASK, GOLD, TEXTS, []).distributions([answers])["ece"].estimate()
    assert 0 <= ece.low < ece.mean < ece.high
