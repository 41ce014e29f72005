import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.evaluation.support import GOLD, TASK, TEXTS, arm
from understudy.errors import DataError, UnknownName
from understudy.evaluation.demands import BEST, Demands, Verdict, cheapest
from understudy.evaluation.scoreboard import Contestant, Scoreboard

TEACHER = arm("teacher", None, range(4))


def student(name: str, wrong: Sequence[int], *, p50: float, megabytes: float = 1.0) -> Contestant:
    row = arm(name, "distilled", wrong, p50=p50)
    return replace(row, facts={**row.facts, "size_bytes": int(1e6 * megabytes)})


ENCODER = student("encoder", range(10), p50=20.0, megabytes=90.0)
LINEAR = student("linear", [*range(9), 30, 31, 32], p50=0.5, megabytes=2.0)
SMALL = student("small", [*range(8), 40, 41, 42, 43], p50=0.7, megabytes=0.5)
POOR = student("poor", range(80), p50=0.1, megabytes=0.1)


def board(*students: Contestant) -> Scoreboard:
    return Scoreboard(TASK, GOLD, TEXTS, [TEACHER, *(students or (ENCODER, LINEAR, SMALL, POOR))])


def verdict(against: str = BEST, students: Sequence[Contestant] = (), **demands: float) -> Verdict:
    return cheapest(board(*students), Demands(**demands), against)


def chosen(found: Verdict) -> str | None:
    return None if found.contestant is None else found.contestant.name


def test_of_those_that_answer_about_as_fast_as_any_the_smallest_is_chosen() -> None:
    found = verdict()
    assert chosen(found) == "small/distilled"
    assert found.sentence.startswith(
        "small/distilled is the cheapest that will do, at 0.70 ms a text and 500 kB: with 0.940 macro-F1 it is not "
        "significantly worse than encoder/distilled (0.950), −0.010 [−0.0"
    )


def test_a_clearly_faster_student_is_cheaper_whatever_its_size() -> None:
    slower, alike = (student("tiny", range(50, 60), p50=p50, megabytes=0.001) for p50 in (0.76, 0.74))
    assert chosen(verdict(students=[LINEAR, slower])) == "linear/distilled"
    assert chosen(verdict(students=[LINEAR, alike])) == "tiny/distilled"


@pytest.mark.parametrize(("megabytes", "expected"), [(1.0, "b"), (1.49, "b"), (1.51, "a")])
def test_of_those_alike_in_speed_and_size_the_better_is_chosen(megabytes: float, expected: str) -> None:
    twins = [student("a", range(12), p50=1.0), student("b", range(11), p50=1.2, megabytes=megabytes)]
    assert chosen(verdict(students=twins)) == f"{expected}/distilled"


def test_a_student_that_is_not_significantly_worse_may_still_be_worse_by_more_than_is_allowed() -> None:
    difference = board().difference("small/distilled", "encoder/distilled")
    assert difference.high >= 0 > difference.low
    just_enough = -difference.low + 1e-9
    assert chosen(verdict(max_drop=just_enough, max_latency_ms=1)) in {"small/distilled", "linear/distilled"}
    assert chosen(verdict(max_drop=just_enough / 2)) == "encoder/distilled"
    found = verdict(max_drop=just_enough / 2, max_latency_ms=1, max_size_mb=1)
    assert found.contestant is None
    assert f"by as much as {-difference.low:.3f}" in found.sentence


def test_a_significantly_worse_student_may_be_within_what_is_allowed() -> None:
    found = verdict(max_drop=0.5)
    assert chosen(found) == "poor/distilled"
    assert "is not worse than encoder/distilled (0.950) by more than 0.5, −0.3" in found.sentence
    assert chosen(verdict()) == "small/distilled"


def test_the_best_is_never_worse_than_itself() -> None:
    found = verdict(students=[ENCODER, POOR], max_drop=0)
    assert chosen(found) == "encoder/distilled"
    assert found.sentence == (
        "encoder/distilled is the cheapest that will do, at 20.0 ms a text and 90.0 MB: with 0.950 macro-F1 it has "
        "the best score of all."
    )


def test_the_reference_may_be_the_teacher_or_any_row() -> None:
    far_below = verdict("teacher", students=[POOR])
    assert far_below.contestant is None
    near = verdict("teacher", students=[ENCODER], max_drop=0.2)
    assert "is not worse than teacher (0.980) by more than 0.2, −0.030 [" in near.sentence
    assert "it is significantly worse than teacher, −0.3" in far_below.sentence
    itself = verdict("poor/distilled", max_drop=0)
    assert chosen(itself) == "poor/distilled"
    assert "is the reference itself" in itself.sentence


@pytest.mark.parametrize(
    ("demands", "expected"),
    [
        ({"max_latency_ms": 0.6}, "linear/distilled"),
        ({"max_size_mb": 0.5}, "small/distilled"),
        ({"max_size_mb": 0.5, "max_latency_ms": 0.7}, "small/distilled"),
    ],
)
def test_what_is_too_slow_or_too_large_is_passed_over(demands: dict[str, float], expected: str) -> None:
    assert chosen(cheapest(board(), Demands(**demands))) == expected


def test_where_nobody_will_do_the_one_that_fails_least_is_named_with_all_it_fails() -> None:
    found = verdict(students=[ENCODER, POOR], max_latency_ms=5, max_size_mb=50)
    assert found.contestant is None
    assert found.sentence.startswith(
        "No student will do; poor/distilled comes nearest, but it is significantly worse than encoder/distilled, −0."
    )
    alone = verdict(students=[ENCODER], max_latency_ms=5, max_size_mb=50)
    assert alone.sentence == (
        "No student will do; encoder/distilled comes nearest, but it takes 20.0 ms a text where 5 ms are allowed and "
        "it takes 90.0 MB where 50 MB are allowed."
    )


def test_agreement_on_few_texts_proves_no_small_margin() -> None:
    few = 20
    rows = [replace(row, predictions=[row.predictions[0][-few:]]) for row in (TEACHER, ENCODER)]
    small = Scoreboard(TASK, GOLD[-few:], TEXTS[-few:], rows)
    assert small.difference("encoder/distilled", "teacher").difference == 0
    assert cheapest(small, Demands(max_drop=0.05), "teacher").contestant is None
    assert cheapest(small, Demands(max_drop=0.2), "teacher").contestant is not None


def test_a_control_is_never_chosen_and_may_be_the_reference() -> None:
    control = arm("lead", "gold", range(5), p50=0.01, control=True)
    found = cheapest(board(ENCODER, control), Demands(), "lead/gold")
    assert chosen(found) != "lead/gold"


def test_an_unknown_reference_is_told_with_a_close_one_or_all() -> None:
    with pytest.raises(UnknownName, match="'encoder/distiled'; did you mean 'encoder/distilled'"):
        verdict("encoder/distiled")
    with pytest.raises(UnknownName, match="expected one of: best, teacher, encoder/distilled, linear/distilled"):
        verdict("nobody")


@pytest.mark.parametrize("name", ["max_drop", "max_latency_ms", "max_size_mb"])
@pytest.mark.parametrize("value", [-0.01, math.nan, math.inf])
def test_a_demand_that_is_no_amount_is_refused(name: str, value: float) -> None:
    with pytest.raises(DataError, match=rf"{name.replace('_', ' ')}: expected a number from 0 on \(found"):
        Demands(**{name: value})
