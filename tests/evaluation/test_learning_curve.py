import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.evaluation.bootstrap import Distribution
from understudy.evaluation.learning_curve import forecast, learning_curve


def known(size: int, scale: float = 1.0, exponent: float = 0.4, noise: float = 0.0) -> Distribution:
    """A score whose error falls as scale * size^-exponent."""
    score = 1 - scale * size**-exponent
    return Distribution(score, score + np.random.default_rng(size).normal(0, noise, 400))


@given(
    st.floats(0.1, 1.0),
    st.floats(0.0, 0.5),
    st.lists(st.integers(30, 1000), min_size=2, max_size=6, unique=True),
    st.integers(30, 4000),
)
def test_a_power_law_is_recovered(scale: float, exponent: float, sizes: list[int], size: int) -> None:
    found = forecast(sizes, [known(n, scale, exponent) for n in sizes], size)
    assert found.value == pytest.approx(known(size, scale, exponent).value)
    assert found.resampled == pytest.approx(known(size, scale, exponent).resampled)


def test_the_further_ahead_the_less_is_certain_of_the_error_that_is_left() -> None:
    sizes = [100, 200, 400, 800]
    scores = [known(n, noise=0.01) for n in sizes]
    spreads = [np.log(1 - forecast(sizes, scores, size).resampled).std() for size in (800, 1600, 3200)]
    assert spreads == sorted(spreads)


def test_no_forecast_leaves_the_scale() -> None:
    worse = [Distribution(score, np.full(40, score)) for score in (0.4, 0.2)]
    assert forecast([100, 200], worse, 10**6).value == 0.0
    flawless = [Distribution(1.0, np.ones(40))] * 2
    assert 0.99 < forecast([100, 200], flawless, 400).value <= 1.0


def test_the_curve_tells_its_points_the_forecast_and_what_to_expect() -> None:
    sizes = [100, 200, 400, 800]
    curve = learning_curve({n: known(n, noise=0.002) for n in sizes}, "linear", "macro_f1")
    assert [point["size"] for point in curve["points"]] == sizes
    assert [point["size"] for point in curve["forecast"]] == [1600, 3200]
    assert all(point["low"] <= point["mean"] <= point["high"] for point in curve["points"])
    now, then = known(800).value, curve["forecast"][0]["mean"]
    assert then == pytest.approx(known(1600).value, abs=0.01)
    assert curve["sentence"].startswith("Twice the teacher's labels (1,600) would be expected to help: linear might go")
    assert f"from {now:.3f} to about {then:.3f} macro-F1, by {then - now:+.3f} [+" in curve["sentence"]
    assert curve["sentence"].endswith("] (a power law through 4 sizes).")
    json.dumps(curve, allow_nan=False)


def test_a_flat_curve_is_not_said_to_rise() -> None:
    flat = {n: known(n, scale=0.2, exponent=0.0, noise=0.02) for n in (100, 200, 400)}
    assert "cannot be said to help" in learning_curve(flat, "linear", "accuracy")["sentence"]


def test_a_line_that_does_not_fit_is_not_mistaken_for_progress() -> None:
    flat = [0.50, 0.70, 0.82, 0.87, 0.875]
    scores = [Distribution(value, np.full(50, value)) for value in flat]
    assert forecast([60, 120, 240, 480, 960], scores, 960).value == pytest.approx(0.875)
    assert 0.875 < forecast([60, 120, 240, 480, 960], scores, 1920).value < 0.93
