import math
from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.evaluation.support import GOLD, TASK, tally
from understudy.evaluation import bootstrap
from understudy.evaluation.bootstrap import Bootstrap, Difference, Distribution, Estimate
from understudy.tasks.ratio import UNDEFINED, ratio
from understudy.tasks.task import Tally


def correct(right: Iterable[bool]) -> Tally:
    """A tally whose one metric is the share of right items."""
    items = np.array([[float(is_right), 1.0] for is_right in right])
    return Tally(items, lambda sums: {"accuracy": sums[..., 0] / sums[..., 1]})


def accuracy(tallies: Sequence[Tally], **settings: int) -> Distribution:
    return Bootstrap(len(tallies[0].items), **settings).distributions(tallies)["accuracy"]


Z_SQUARED = 1.959963984540054**2


def wilson(right: int, items: int) -> tuple[float, float]:
    """The score interval of a share, by the textbook."""
    share = right / items
    centre = (share + Z_SQUARED / (2 * items)) / (1 + Z_SQUARED / items)
    half = math.sqrt(Z_SQUARED * (share * (1 - share) / items + Z_SQUARED / (4 * items**2))) / (1 + Z_SQUARED / items)
    return centre - half, centre + half


def width(estimate: Estimate | Difference) -> float:
    return estimate.high - estimate.low


@pytest.mark.parametrize("right", [200, 320, 380])
def test_the_interval_of_accuracy_is_the_binomial_one(right: int) -> None:
    estimate = accuracy([correct([True] * right + [False] * (400 - right))]).estimate()
    share = right / 400
    half = 1.96 * math.sqrt(share * (1 - share) / 400)
    assert estimate.mean == share
    assert estimate.low == pytest.approx(share - half, abs=0.006)
    assert estimate.high == pytest.approx(share + half, abs=0.006)


def test_the_interval_covers_the_truth_nineteen_times_in_twenty() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for trial in range(400):
        estimate = accuracy([correct(rng.random(150) < 0.8)], rounds=400, seed=trial).estimate()
        covered += estimate.low <= 0.8 <= estimate.high
    assert 0.91 <= covered / 400 <= 0.98


def test_the_paired_interval_covers_a_true_difference_of_nothing() -> None:
    rng = np.random.default_rng(1)
    significant = 0
    for trial in range(400):
        hard = rng.random(150)
        resamples = Bootstrap(150, rounds=400, seed=trial)
        a, b = (resamples.distributions([correct(hard + rng.normal(0, 0.2, 150) > 0.3)]) for _ in range(2))
        significant += a["accuracy"].minus(b["accuracy"]).significant
    assert significant / 400 <= 0.09


def test_systems_that_agree_on_every_item_do_not_differ() -> None:
    system = [tally(range(40)), tally(range(20, 60))]
    resamples = Bootstrap(len(GOLD))
    for name, scores in resamples.distributions(system).items():
        difference = scores.minus(resamples.distributions(system)[name])
        assert (difference.difference, difference.p_value) == (0.0, 1.0)
        assert difference.low < 0 < difference.high


def test_items_are_paired() -> None:
    shared = list(range(60))
    resamples = Bootstrap(len(GOLD))
    a = resamples.distributions([tally(shared)])["accuracy"]
    b = resamples.distributions([tally([*shared, *range(60, 68)])])["accuracy"]
    elsewhere = Bootstrap(len(GOLD), seed=1).distributions([tally([*shared, *range(60, 68)])])["accuracy"]
    paired, unpaired = a.minus(b), a.minus(elsewhere)
    assert paired.difference == pytest.approx(0.04)
    assert paired.significant
    assert not unpaired.significant
    assert width(paired) < width(unpaired) / 2


@given(st.integers(0, 10_000), st.floats(-4, 4), st.sampled_from([0, 1, 20]), st.sampled_from([40, 400, 1999, 2000]))
def test_the_interval_leaves_out_zero_exactly_when_p_is_under_a_twentieth(
    seed: int, shift: float, steps: int, rounds: int
) -> None:
    values = np.random.default_rng(seed).normal(shift, 1, rounds)
    if steps:
        values = np.round(values * steps) / steps
    difference = Distribution(shift, values).minus(Distribution(0.0, np.zeros(rounds)))
    assert difference.significant == (difference.p_value < 0.05)
    assert 0 < difference.p_value <= 1
    assert difference.low <= difference.high


def test_the_other_way_round_the_difference_is_the_same() -> None:
    resamples = Bootstrap(len(GOLD))
    a, b = (resamples.distributions([tally(wrong)])["macro_f1"] for wrong in (range(30), range(10, 60)))
    there, back = a.minus(b), b.minus(a)
    assert (back.difference, back.low, back.high) == (-there.difference, -there.high, -there.low)
    assert back.p_value == there.p_value


# Where all resamples are equal


@pytest.mark.parametrize("items", [1, 2, 10, 5_000])
@pytest.mark.parametrize("is_right", [True, False])
def test_items_that_are_all_right_or_all_wrong_have_wilsons_interval(items: int, is_right: bool) -> None:
    estimate = accuracy([correct([is_right] * items)] * 2, rounds=40).estimate()
    assert (estimate.low, estimate.high) == pytest.approx(wilson(items * is_right, items))
    assert estimate.low <= estimate.mean <= estimate.high


def test_a_score_that_every_item_shares_is_not_certain_either() -> None:
    items = Tally(np.full((3, 2), [0.3, 1.0]), lambda sums: {"rouge": sums[..., 0] / sums[..., 1]})
    estimate = Bootstrap(3).distributions([items])["rouge"].estimate()
    assert 0 <= estimate.low < 0.3 < estimate.high <= 1
    assert width(estimate) == pytest.approx(Z_SQUARED / (3 + Z_SQUARED))


@pytest.mark.parametrize("items", [1, 3, 4, 20, 1000])
def test_a_difference_that_every_item_shares_is_as_sure_as_the_score_test_says(items: int) -> None:
    resamples = Bootstrap(items, rounds=40)
    right, wrong = (resamples.distributions([correct([answer] * items)])["accuracy"] for answer in (True, False))
    difference = right.minus(wrong)
    assert difference.high == difference.difference == 1.0
    assert difference.p_value == pytest.approx(math.erfc(math.sqrt(items / 2)))
    assert difference.significant == (difference.p_value < 0.05) == (items >= 4)
    back = wrong.minus(right)
    assert (back.low, back.high, back.p_value) == (-difference.high, -difference.low, difference.p_value)


def test_the_fewer_items_two_systems_agree_on_the_more_they_may_differ() -> None:
    few, many = (accuracy([correct([True] * items)], rounds=40) for items in (10, 400))
    differences = [system.minus(system) for system in (few, many)]
    assert [found.p_value for found in differences] == [1.0, 1.0]
    assert differences[0].low == -differences[0].high == pytest.approx(-Z_SQUARED / (10 + Z_SQUARED))
    assert differences[1].high < 0.01


@given(st.floats(-1, 1), st.integers(1, 10_000))
def test_a_collapsed_interval_leaves_out_zero_exactly_when_p_is_under_a_twentieth(value: float, items: int) -> None:
    system = Distribution(value, np.full(40, value), items)
    difference = system.minus(Distribution(0.0, np.zeros(40), items))
    assert difference.significant == (difference.p_value < 0.05)
    assert difference.low <= value <= difference.high


def test_what_has_no_bounds_gets_none() -> None:
    words = accuracy([correct([True] * 5)]).unbounded()
    assert words.estimate() == Estimate(1.0, 1.0, 1.0)
    assert words.minus(accuracy([correct([True] * 5)])) == Difference(0.0, 0.0, 0.0, 1.0)


# Seeds


def test_seeds_that_differ_make_the_interval_wider() -> None:
    alike = Bootstrap(len(GOLD)).distributions([tally(range(40))] * 3)["accuracy"]
    unlike = Bootstrap(len(GOLD)).distributions([tally(range(wrong)) for wrong in (0, 40, 80)])["accuracy"]
    assert alike.value == pytest.approx(unlike.value)
    assert width(unlike.estimate()) > 1.5 * width(alike.estimate())


def test_more_seeds_say_no_more_about_the_items() -> None:
    one = Bootstrap(len(GOLD)).distributions([tally(range(40))])["accuracy"]
    many = Bootstrap(len(GOLD)).distributions([tally(range(40))] * 5)["accuracy"]
    assert np.allclose(one.resampled, many.resampled)


@pytest.mark.parametrize("block", [1, 200, 1700])
def test_the_numbers_do_not_depend_on_how_many_resamples_are_held_at_once(
    monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    whole = Bootstrap(len(GOLD), rounds=100).distributions([tally(range(50))])
    monkeypatch.setattr(bootstrap, "_BLOCK", block)
    blocks = list(Bootstrap(len(GOLD), rounds=100)._weights())
    assert max(weights.size for weights in blocks) <= max(block, len(GOLD))
    assert sum(len(weights) for weights in blocks) == 100
    assert all((weights.sum(axis=1) == len(GOLD)).all() for weights in blocks)
    for name, scores in Bootstrap(len(GOLD), rounds=100).distributions([tally(range(50))]).items():
        assert np.array_equal(scores.resampled, whole[name].resampled)


def named(*names: float) -> Tally:
    """A tally whose one metric is undefined where nothing is named."""
    items = np.array([[1.0, count] for count in names])
    return Tally(items, lambda sums: {"support": ratio(sums[..., 0], sums[..., 1], UNDEFINED)})


def test_a_metric_that_is_undefined_for_one_seed_is_left_out() -> None:
    assert Bootstrap(4).distributions([named(1, 0, 0, 0), named(0, 0, 0, 0)]) == {}


def test_resamples_of_which_nothing_can_be_said_leave_the_interval_sane() -> None:
    found = Bootstrap(4).distributions([named(2, 0, 0, 0)])["support"]
    estimate = found.estimate()
    assert np.isfinite(found.resampled).all()
    assert estimate.low < estimate.mean == 2.0 <= estimate.high


def test_the_seed_decides() -> None:
    drawn = [Bootstrap(len(GOLD), seed=seed).distributions([tally(range(50))])["macro_f1"] for seed in (0, 0, 1)]
    assert np.array_equal(drawn[0].resampled, drawn[1].resampled)
    assert not np.array_equal(drawn[0].resampled, drawn[2].resampled)


def test_a_single_item_has_an_interval() -> None:
    scores = Bootstrap(1).distributions([TASK.tally(["a"], ["a"], ["a text"])])
    [estimate] = {scores[name].estimate() for name in scores}
    assert (estimate.mean, estimate.high) == (1.0, 1.0)
    assert estimate.low == pytest.approx(1 / (1 + Z_SQUARED))
