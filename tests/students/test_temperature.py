"""Temperatures of answers that are right as a whole or not at all; those of labels stand in labels/test_decoder.py."""

import numpy as np
import pytest
from numpy.typing import NDArray

from understudy.students.temperature import fit_answer_temperature

Floats = NDArray[np.floating]


def parts(count: int) -> Floats:
    """The log-probabilities of answers of so many parts, each of probability 0.9 at a temperature of 1."""
    return np.full(100, count * np.log(0.9))


def test_answers_become_as_sure_as_they_are_right() -> None:
    right = np.arange(100) % 4 == 0
    temperature = fit_answer_temperature(lambda t: parts(10) * t, right)
    assert np.exp(parts(10)[0] * temperature) == pytest.approx(0.25, abs=0.01)


def test_answers_that_are_all_right_or_all_wrong_leave_a_doubt() -> None:
    for right, chance in ((True, 101 / 102), (False, 1 / 102)):
        temperature = fit_answer_temperature(lambda t: parts(10) * t, np.full(100, right))
        assert np.exp(parts(10)[0] * temperature) == pytest.approx(chance, abs=0.06)


def test_a_single_answer_does_not_make_it_sure_of_everything() -> None:
    temperature = fit_answer_temperature(lambda t: parts(10)[:1] * t, np.array([True]))
    assert np.exp(parts(10)[0] * temperature) == pytest.approx(2 / 3, abs=0.01)


@pytest.mark.parametrize("extreme", [0.0, -1e6])
def test_certainty_is_borne(extreme: float) -> None:
    assert 0 < fit_answer_temperature(lambda t: np.full(2, extreme), np.array([True, False])) < np.inf


def test_without_validation_nothing_is_changed() -> None:
    assert fit_answer_temperature(lambda t: np.zeros(0), np.zeros(0, dtype=bool)) == 1.0
