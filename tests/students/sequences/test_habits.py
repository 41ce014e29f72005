from typing import Any

import pytest

from understudy.errors import ModelError
from understudy.students.sequences.habits import Habits

PLAIN = [["a", "b", "c"]] * 99


def test_lengths_are_those_of_nearly_all() -> None:
    habits = Habits.of([["a"], ["a", "b"], *PLAIN, list("abcdefg")])
    assert (habits.shortest, habits.longest) == (3, 8)
    assert Habits.of([[]]) == Habits(1, 2)


def test_what_targets_hardly_ever_do_is_no_habit() -> None:
    assert Habits.of([*PLAIN, ["a", "a"]]) == Habits(3, 4)
    assert Habits.of([*PLAIN, *[["a", "a", "b"]] * 10]).stutters


def test_most_targets_must_come_back_to_three_pieces() -> None:
    again = ["a", "b", "c", "d", "a", "b", "c"]
    assert not Habits.of([*PLAIN, *[again] * 90]).repeats
    assert Habits.of([*PLAIN, *[again] * 99]).repeats
    assert not Habits.of([["a", "b", "d", "a", "b"]]).repeats


def test_they_survive_json() -> None:
    habits = Habits(2, 9, stutters=True)
    assert Habits.from_json(habits.to_json(), 9) == habits


@pytest.mark.parametrize(
    "harm",
    [
        {"shortest": 0},
        {"shortest": 9},
        {"longest": 10},
        {"shortest": -1},
        {"shortest": 1.5},
        {"longest": "9"},
        {"stutters": 1},
        {"repeats": None},
    ],
)
def test_others_are_refused(harm: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match="habits"):
        Habits.from_json({**Habits(2, 9).to_json(), **harm}, 9)
    others: list[object] = [None, [2, 9, True, False], {}, "2"]
    for value in others:
        with pytest.raises(ModelError, match="habits"):
            Habits.from_json(value, 9)
