"""The values that are known, and their numbers."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from understudy.errors import ModelError
from understudy.students.spans.features import KINDS
from understudy.students.spans.values import Values

PASSAGES = ["Ada met Bo", "Ada met Cy", "Ada slept"]
WORD = KINDS.index("word+0")


def test_values_seen_too_seldom_are_unknown() -> None:
    values = Values(100, fewest=2)
    numbers = values.fit(PASSAGES)[:, WORD]
    ada, met, bo = numbers[:3]
    assert list(numbers) == [ada, met, bo, ada, met, bo, ada, bo]
    assert bo == values.size > max(ada, met)
    assert ada != met


def test_only_the_most_frequent_values_of_each_kind_are_kept() -> None:
    values = Values(1, fewest=1)
    known = values.fit(PASSAGES) < values.size
    assert values.size == len(KINDS)
    assert list(known[:, WORD]) == [True, False, False, True, False, False, True, False]


def test_no_two_values_share_a_number() -> None:
    values = Values(100, fewest=1)
    numbers = values.fit(PASSAGES)
    of_kinds = [set(column) for column in numbers.T.tolist()]
    assert sum(map(len, of_kinds)) == len(set.union(*of_kinds)) == values.size


def test_a_new_word_is_unknown_and_no_word_has_no_numbers() -> None:
    values = Values(100, fewest=1)
    values.fit(PASSAGES)
    assert values.numbers(["Zoe"])[0, WORD] == values.size
    assert values.numbers([]).shape == values.numbers([" "]).shape == (0, len(KINDS))


def test_saved_and_loaded_the_numbers_are_the_same(tmp_path: Path) -> None:
    values, again = Values(100, fewest=1), Values(100, fewest=1)
    numbers = values.fit(PASSAGES)
    values.save(tmp_path)
    again.load(tmp_path)
    assert again.size == values.size
    assert (again.numbers(PASSAGES) == numbers).all()


@pytest.mark.parametrize(
    "known",
    [
        [],
        {kind: [] for kind in KINDS[1:]},
        {kind: [] for kind in reversed(KINDS)},
        dict.fromkeys(KINDS),
        dict.fromkeys(KINDS, "ab"),
        {kind: ["a", "a"] for kind in KINDS},
        {kind: [1] for kind in KINDS},
        {kind: [["a"]] for kind in KINDS},
    ],
)
def test_what_is_no_list_of_different_values_for_every_kind_is_refused(known: Any, tmp_path: Path) -> None:
    (tmp_path / "values.json").write_text(json.dumps(known))
    with pytest.raises(ModelError, match="expected the different values"):
        Values(100, fewest=1).load(tmp_path)


def test_very_many_passages_have_the_numbers_that_each_has_by_itself() -> None:
    values = Values(100, fewest=2)
    numbers = values.fit(PASSAGES * 700)
    assert numbers.shape == (8 * 700, len(KINDS))
    assert (numbers == np.tile(values.numbers(PASSAGES), (700, 1))).all()
