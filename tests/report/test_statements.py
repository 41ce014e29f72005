"""What is said of the choice, on the page and in the terminal alike."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.evaluation.samples import SAMPLES
from understudy.report.scores import Scores
from understudy.report.statements import statements

Edit = Callable[[dict[str, Any]], object]


def said(name: str, *edits: Edit) -> dict[str, str]:
    scores = SAMPLES[name].scores()
    for edit in edits:
        edit(scores)
    return {statement.title: statement.text for statement in statements(Scores.model_validate(scores))}


def differs(rival: str, low: float, difference: float, high: float) -> Edit:
    """The choice's paired difference to a rival by the headline metric."""

    def edit(scores: dict[str, Any]) -> None:
        pair = {"a": "linear/distilled", "b": rival, "metric": scores["headline"]}
        scores["comparisons"] = [pair | {"low": low, "difference": difference, "high": high}, *scores["comparisons"]]

    return edit


def with_control(scores: dict[str, Any]) -> None:
    [row] = [row for row in scores["rows"] if row["student"] == "lstm"]
    row.update(student="lead", mixture="gold", control=True)


@pytest.mark.parametrize(
    ("low", "difference", "high", "sentence"),
    [
        (-0.2, -0.1, -0.01, "It is still below the teacher: −0.100 [−0.200, −0.010] macro-F1."),
        (0.01, 0.1, 0.2, "It is above the teacher: +0.100 [+0.010, +0.200] macro-F1."),
        (0.0, 0.1, 0.2, "No significant difference to the teacher: +0.100 [0.000, +0.200] macro-F1."),
        (
            -0.04,
            -0.01,
            0.02,
            "No significant difference to the teacher: −0.010 [−0.040, +0.020] macro-F1; a loss of up to 0.040 cannot "
            "be ruled out.",
        ),
    ],
)
def test_above_and_below_are_said_only_where_the_interval_leaves_out_zero(
    low: float, difference: float, high: float, sentence: str
) -> None:
    assert said("classification", differs("teacher", low, difference, high))["Against the teacher"] == sentence


def test_what_was_not_compared_is_not_made_up() -> None:
    found = said("summarization", with_control, lambda scores: scores.update(comparisons=[]))
    assert found["Against the teacher"].startswith("No paired test of this student against the teacher")
    assert "Against the control" not in found


@pytest.mark.parametrize(
    ("low", "difference", "high", "sentence"),
    [
        (0.01, 0.031, 0.05, "linear/distilled beats the control lead by +0.031 [+0.010, +0.050] ROUGE-L F1."),
        (
            -0.05,
            -0.031,
            -0.01,
            "Nothing is gained: linear/distilled is below the control lead, which learns nothing: −0.031 "
            "[−0.050, −0.010] ROUGE-L F1.",
        ),
        (
            -0.01,
            0.031,
            0.05,
            "It cannot be said that anything is gained: linear/distilled is not significantly better than the control "
            "lead, which learns nothing: +0.031 [−0.010, +0.050] ROUGE-L F1.",
        ),
    ],
)
def test_the_choice_is_held_against_the_control(low: float, difference: float, high: float, sentence: str) -> None:
    found = said("summarization", with_control, differs("lead/gold", low, difference, high))
    assert found["Against the control"] == sentence


def test_that_nothing_is_gained_is_said_first() -> None:
    unbeaten = said("summarization", with_control, differs("lead/gold", -0.01, 0.0, 0.01))
    assert next(iter(unbeaten)) == "Against the control"
    assert next(iter(said("summarization", with_control, differs("lead/gold", 0.01, 0.02, 0.03)))) == "Why this student"


def test_the_length_of_the_answers_is_told_and_not_judged() -> None:
    for name in ("summarization", "text2text"):
        told = said(name)["What the answers are like"]
        assert told.startswith("Its answers: words ")
        assert "length ratio 0." in told
        assert told.endswith("Neither side is better, but a score may rise with the length alone.")
    for name in ("classification", "ner"):
        assert "What the answers are like" not in said(name)


def test_a_description_that_is_not_known_is_left_out() -> None:
    def nameless(scores: dict[str, Any]) -> None:
        for row in scores["rows"]:
            row["metrics"]["entity_support"] = None

    assert "entity support" in said("summarization")["What the answers are like"]
    assert "entity support" not in said("summarization", nameless)["What the answers are like"]


def test_the_sentences_of_the_choice_and_the_curve_are_those_of_the_run() -> None:
    found = said("ner")
    assert found["Why this student"] == SAMPLES["ner"].scores()["choice"]["sentence"]
    assert found["What more labels would bring"].startswith("Twice the teacher's labels (80)")
    bare = said("ner", lambda scores: scores.update(choice=None, learning_curve=None))
    assert list(bare) == ["Against the teacher"]
