"""How often each tag stands at a value."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save_file

from understudy.errors import ModelError
from understudy.students.spans.rates import TagRates

NUMBERS = np.array([[0], [0], [1], [2]])
TAGS = np.array([1, 1, 0, 0])
ONES = np.ones(4)
TEXTS = np.arange(4)


def test_a_rate_is_drawn_to_the_tags_share_of_all_words() -> None:
    rates = TagRates(kinds=1, tags=2)
    rates.fit(NUMBERS, 2, TAGS, ONES, TEXTS)
    assert rates.encode(np.array([[0]])) == pytest.approx(np.array([[1 / 4, 3 / 4]]))
    assert rates.encode(np.array([[1]])) == pytest.approx(np.array([[2 / 3, 1 / 3]]))


def test_an_unknown_value_has_the_overall_rates() -> None:
    rates = TagRates(kinds=1, tags=2)
    rates.fit(NUMBERS, 2, TAGS, ONES, TEXTS)
    assert rates.encode(np.array([[2]])) == pytest.approx(np.array([[1 / 2, 1 / 2]]))


def test_words_count_as_much_as_they_weigh() -> None:
    rates = TagRates(kinds=1, tags=2)
    rates.fit(np.array([[0], [0]]), 1, np.array([0, 1]), np.array([3.0, 1.0]), np.arange(2))
    assert rates.encode(np.array([[0]])) == pytest.approx(np.array([[3 / 4, 1 / 4]]))


def test_a_word_that_is_learned_from_never_sees_its_own_text() -> None:
    rates = TagRates(kinds=1, tags=2)
    overall = [1 / 2, 1 / 2]
    alone = rates.fit(NUMBERS, 2, TAGS, ONES, TEXTS)
    assert alone == pytest.approx(np.array([[1 / 3, 2 / 3], [1 / 3, 2 / 3], overall, overall]))
    together = rates.fit(NUMBERS, 2, TAGS, ONES, np.array([0, 0, 1, 2]))
    assert together == pytest.approx(np.array([overall] * 4))


def test_each_kind_has_its_own_columns() -> None:
    rates = TagRates(kinds=2, tags=2)
    encoded = rates.fit(np.array([[0, 1], [0, 2]]), 3, np.array([0, 0]), np.ones(2), np.arange(2))
    assert encoded.shape == (2, rates.columns) == (2, 4)
    assert rates.size == 8
    rates.fit(np.array([[0, 1], [0, 2]]), 3, np.array([0, 1]), np.ones(2), np.arange(2))
    assert rates.encode(np.array([[0, 1]])) == pytest.approx(np.array([[1 / 2, 1 / 2, 2 / 3, 1 / 3]]))


@pytest.mark.parametrize("harmed", [np.zeros((2, 2)), np.zeros((3, 3)), np.zeros(6), np.full((3, 2), np.nan)])
def test_rates_that_do_not_fit_are_refused(harmed: NDArray[np.float64], tmp_path: Path) -> None:
    save_file({"rates": harmed}, tmp_path / "rates.safetensors")
    with pytest.raises(ModelError, match="rate"):
        TagRates(kinds=1, tags=2).read(tmp_path, 2)
