import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.evaluation.calibration import calibration_tally


def error(confidences: list[float], correct: list[bool]) -> float:
    return calibration_tally(confidences, correct).scores()["ece"]


def test_a_predictor_that_is_right_as_often_as_it_says_is_calibrated() -> None:
    assert error([0.75] * 4 + [0.5] * 2, [True, True, True, False, True, False]) == pytest.approx(0.0)


def test_an_overconfident_predictor_is_off_by_its_surplus() -> None:
    assert error([0.95] * 10, [True] * 6 + [False] * 4) == pytest.approx(0.35)


def test_bins_are_weighed_by_their_items() -> None:
    # Three answers at 0.9, two of them right: off by 0.2333; one at 0.2, right: off by 0.8.
    assert error([0.9, 0.9, 0.9, 0.2], [True, True, False, True]) == pytest.approx(0.75 * 0.7 / 3 + 0.25 * 0.8)


def test_within_a_bin_too_much_and_too_little_cancel_and_across_bins_they_do_not() -> None:
    assert error([0.62, 0.68], [True, False]) == pytest.approx(0.15)
    assert error([0.4, 0.6], [True, False]) == pytest.approx(0.6)


def test_being_certain_belongs_to_the_last_bin() -> None:
    assert error([1.0, 0.95], [True, True]) == pytest.approx(0.025)
    assert error([0.0], [False]) == 0.0


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=50))
def test_the_error_is_the_textbook_sum(items: list[tuple[float, bool]]) -> None:
    confidence, correct = (np.array(column, dtype=float) for column in zip(*items, strict=True))
    bins = np.digitize(confidence * 10, np.arange(1, 10))
    expected = sum(
        (bins == place).mean() * abs(confidence[bins == place].mean() - correct[bins == place].mean())
        for place in set(bins.tolist())
    )
    assert error(list(confidence), [right for _, right in items]) == pytest.approx(expected)
    assert 0 <= expected <= 1
