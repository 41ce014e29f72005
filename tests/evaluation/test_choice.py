import pytest

from tests.evaluation.support import GOLD, TASK, TEXTS, arm
from understudy.evaluation.choice import Choice, choose
from understudy.evaluation.scoreboard import Contestant, Scoreboard


def chosen(*contestants: Contestant) -> Choice:
    return choose(Scoreboard(TASK, GOLD, TEXTS, [arm("teacher", None, range(1), p50=0.001), *contestants]))


def test_of_those_not_significantly_worse_the_fastest_is_chosen() -> None:
    choice = chosen(
        arm("encoder", "distilled", range(20), p50=20.0),
        arm("gbdt", "distilled", [*range(19), 50, 51], p50=5.0),
        arm("linear", "distilled", [*range(18), 60, 61, 62], p50=0.41),
        arm("linear", "gold", range(80), p50=0.2),
    )
    assert choice.contestant.name == "linear/distilled"
    assert choice.sentence.startswith(
        "linear/distilled is chosen: with 0.895 macro-F1 it is not significantly worse than the best, "
        "encoder/distilled (0.900, p = "
    )
    assert choice.sentence.endswith("), and among the fastest such, at 0.41 ms a text.")


def test_the_p_value_in_the_sentence_is_that_of_the_comparison() -> None:
    contestants = [arm("a", "gold", range(20), p50=9.0), arm("b", "gold", range(1, 24), p50=1.0)]
    p_value = Scoreboard(TASK, GOLD, TEXTS, contestants).difference("b/gold", "a/gold").p_value
    assert f"p = {p_value:.2f})" in choose(Scoreboard(TASK, GOLD, TEXTS, contestants)).sentence


def test_a_significantly_better_student_is_chosen_however_slow() -> None:
    choice = chosen(arm("encoder", "union", range(5), p50=1234.5), arm("linear", "gold", range(60), p50=0.1))
    assert choice.sentence == (
        "encoder/union is chosen: with 0.975 macro-F1 it is significantly better than every other student, "
        "at 1,234 ms a text."
    )


def test_the_best_is_chosen_where_its_equals_are_no_faster() -> None:
    choice = chosen(arm("linear", "union", range(20), p50=0.3), arm("gbdt", "union", range(21), p50=7.0))
    assert choice.sentence == (
        "linear/union is chosen: it has the best score (0.900 macro-F1), and no equal is clearly faster "
        "(0.3 ms a text)."
    )


def test_latencies_that_can_hardly_be_told_apart_leave_it_to_the_score() -> None:
    better, quicker = arm("a", "union", range(20), p50=1.04), arm("b", "union", range(21), p50=0.98)
    assert chosen(quicker, better).contestant is better


def test_noise_in_the_timing_does_not_choose() -> None:
    for p50 in (1.01, 1.49, 1.5):
        better, quicker = arm("a", "union", range(20), p50=p50), arm("b", "union", range(21), p50=1.0)
        assert chosen(quicker, better).contestant is better
    better, quicker = arm("a", "union", range(20), p50=1.6), arm("b", "union", range(21), p50=1.0)
    assert chosen(quicker, better).contestant is quicker


def test_a_single_student_is_not_said_to_be_better_than_others() -> None:
    assert chosen(arm("linear", "distilled", range(20), p50=0.3)).sentence == (
        "linear/distilled is chosen: it is the only candidate, with 0.900 macro-F1 at 0.3 ms a text."
    )


@pytest.mark.parametrize(("p50", "shown"), [(0.123, "0.12"), (9.96, "10"), (99.4, "99"), (143.0, "143")])
def test_a_latency_is_written_out(p50: float, shown: str) -> None:
    assert f"at {shown} ms a text." in chosen(arm("linear", "gold", range(20), p50=p50)).sentence


def test_a_control_is_never_chosen_and_is_nobodys_equal() -> None:
    control = arm("lead", "gold", range(10), p50=0.001, control=True)
    choice = chosen(control, arm("linear", "gold", range(20), p50=0.3), arm("gbdt", "gold", range(80), p50=7.0))
    assert choice.sentence == (
        "linear/gold is chosen: with 0.900 macro-F1 it is significantly better than every other student, "
        "at 0.3 ms a text."
    )
    assert "it is the only candidate" in chosen(control, arm("linear", "gold", range(20), p50=0.3)).sentence


def test_the_teacher_is_never_chosen() -> None:
    assert chosen(arm("linear", "gold", range(100), p50=50.0)).contestant.student == "linear"


def test_a_handful_of_texts_is_said_to_be_too_few() -> None:
    few = 29
    contestants = [
        Contestant(student=row.student, mixture="gold", predictions=[row.predictions[0][:few]], facts=row.facts)
        for row in (arm("linear", "gold", range(3)), arm("gbdt", "gold", range(5), p50=0.1))
    ]
    board = Scoreboard(TASK, GOLD[:few], TEXTS[:few], contestants)
    assert choose(board).sentence.endswith("; but 29 test texts are too few to tell.")
    alone = Scoreboard(TASK, GOLD[:few], TEXTS[:few], contestants[:1])
    assert "too few" not in choose(alone).sentence
