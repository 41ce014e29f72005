import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.evaluation.holm import holm

p_values = st.lists(st.floats(0, 1), max_size=12)


@pytest.mark.parametrize(
    ("given_values", "adjusted"),
    [
        ([], []),
        ([0.03], [0.03]),
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.5, 0.6], [1.0, 1.0]),
        ([0.02, 0.02, 0.02], [0.06, 0.06, 0.06]),
        ([0.0, 1.0], [0.0, 1.0]),
        ([0.01, 0.02, 0.022], [0.03, 0.04, 0.04]),
    ],
)
def test_cases_worked_by_hand(given_values: list[float], adjusted: list[float]) -> None:
    assert holm(given_values) == pytest.approx(adjusted)


@given(p_values)
def test_adjusted_values_keep_their_order_and_lie_between_the_plain_ones_and_bonferronis(values: list[float]) -> None:
    adjusted = holm(values)
    for plain, raised in zip(values, adjusted, strict=True):
        assert plain <= raised <= min(1.0, len(values) * plain) or raised == pytest.approx(
            min(1.0, len(values) * plain)
        )
    for (one, raised), (other, higher) in itertools.product(zip(values, adjusted, strict=True), repeat=2):
        assert raised <= higher or one > other


@given(p_values.flatmap(lambda values: st.permutations(list(enumerate(values)))))
def test_the_order_of_the_comparisons_does_not_matter(shuffled: list[tuple[int, float]]) -> None:
    in_order = holm([value for _, value in sorted(shuffled)])
    assert holm([value for _, value in shuffled]) == [in_order[place] for place, _ in shuffled]


@given(p_values)
def test_it_rejects_what_the_step_down_procedure_rejects(values: list[float]) -> None:
    rejected = set()
    for rank, place in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        if (len(values) - rank) * values[place] > 0.05:
            break
        rejected.add(place)
    assert {place for place, adjusted in enumerate(holm(values)) if adjusted <= 0.05} == rejected


def test_where_nothing_is_real_one_family_in_twenty_at_most_says_otherwise() -> None:
    rng = np.random.default_rng(0)
    families = rng.random((2000, 6))
    assert np.mean([min(holm(list(family))) <= 0.05 for family in families]) == pytest.approx(0.05, abs=0.015)
    assert np.mean(families.min(axis=1) <= 0.05) > 0.2
