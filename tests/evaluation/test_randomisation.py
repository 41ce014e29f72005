import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.evaluation.samples import SAMPLES, Sample
from tests.evaluation.support import tally
from understudy.evaluation import bootstrap
from understudy.evaluation.randomisation import randomisation_p
from understudy.tasks.ratio import UNDEFINED, ratio
from understudy.tasks.task import Tally

each_task = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)


def tallies(sample: Sample, *right: int) -> list[Tally]:
    """One system, a seed for each number of right answers."""
    seeds = [[answer.target for answer in sample.answers(number)] for number in right]
    return [sample.task.tally([sample.gold] * len(seed), seed, sample.texts) for seed in seeds]


def accuracies(right: Sequence[bool]) -> Tally:
    items = np.array([[float(is_right), 1.0] for is_right in right])
    return Tally(items, lambda sums: {"accuracy": sums[..., 0] / sums[..., 1]})


def dense(tally: Tally) -> np.ndarray:
    return np.asarray(tally.items.toarray() if hasattr(tally.items, "toarray") else tally.items)


def slowly(a: Sequence[Tally], b: Sequence[Tally], metric: str, rounds: int, seed: int) -> float:
    """The same test with a loop over rounds and items, as the papers tell it."""
    longer = max(len(a), len(b))
    ours, theirs = ([dense(system[place % len(system)]) for place in range(longer)] for system in (a, b))
    metrics = a[0].metrics

    def difference(swaps: Sequence[bool]) -> float:
        found = []
        for one, two in zip(ours, theirs, strict=True):
            left = sum(two[item] if swapped else one[item] for item, swapped in enumerate(swaps))
            right = sum(one[item] if swapped else two[item] for item, swapped in enumerate(swaps))
            found.append(float(metrics(left)[metric]) - float(metrics(right)[metric]))
        return sum(found) / longer

    rng = np.random.default_rng(seed)
    items = len(ours[0])
    observed = difference([False] * items)
    reached = sum(abs(difference(list(rng.random(items) < 0.5))) >= abs(observed) - 1e-9 for _ in range(rounds))
    return (reached + 1) / (rounds + 1)


@each_task
def test_it_is_what_a_plain_loop_over_items_finds(sample: Sample) -> None:
    a, b = tallies(sample, 30, 33), tallies(sample, 26, 31)
    found = randomisation_p(a, b, rounds=30, seed=3)
    assert set(found) == set(a[0].scores())
    for metric, p_value in found.items():
        assert p_value == pytest.approx(slowly(a, b, metric, rounds=30, seed=3)), metric


@each_task
def test_a_system_of_one_seed_meets_every_seed_of_the_other(sample: Sample) -> None:
    a, b = tallies(sample, 20, 33, 35), tallies(sample, 28)
    found = randomisation_p(a, b, rounds=30)
    for metric in (sample.task.headline, *sample.task.diagnostic):
        assert found[metric] == pytest.approx(slowly(a, b, metric, rounds=30, seed=0))


@each_task
def test_many_more_right_answers_are_no_accident_and_the_same_ones_are(sample: Sample) -> None:
    good, bad = tallies(sample, 44, 46), tallies(sample, 20, 22)
    assert randomisation_p(good, bad, rounds=400)[sample.task.headline] < 0.01
    assert set(randomisation_p(good, good, rounds=50).values()) == {1.0}


@given(st.sets(st.integers(0, 199)), st.sets(st.integers(0, 199)), st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_it_does_not_matter_which_system_comes_first(ours: set[int], theirs: set[int], seed: int) -> None:
    a, b = [tally(sorted(ours))], [tally(sorted(theirs)), tally(sorted(ours & theirs))]
    there, back = (randomisation_p(*pair, rounds=40, seed=seed) for pair in ((a, b), (b, a)))
    assert there == back
    assert all(1 / 41 <= p_value <= 1 for p_value in there.values())


def test_p_is_about_uniform_where_the_systems_are_equally_good() -> None:
    rng = np.random.default_rng(5)
    found = []
    for trial in range(300):
        a, b = (accuracies(list(rng.random(400) < 0.7)) for _ in range(2))
        found.append(randomisation_p([a], [b], rounds=99, seed=trial)["accuracy"])
    for level in (0.05, 0.2, 0.5, 0.8):
        share = np.mean(np.array(found) <= level)
        assert share == pytest.approx(level, abs=3.5 * math.sqrt(level * (1 - level) / 300) + 0.02)


def test_seeds_that_agree_are_no_further_evidence() -> None:
    a, b = tally(range(40)), tally(range(35, 85))
    once = randomisation_p([a], [b], rounds=200)
    assert randomisation_p([a] * 5, [b] * 5, rounds=200) == once
    assert randomisation_p([a] * 2, [b] * 3, rounds=200) == once


def test_few_items_cannot_be_significant() -> None:
    p_value = randomisation_p([accuracies([True] * 4)], [accuracies([False] * 4)], rounds=2000)["accuracy"]
    assert p_value == pytest.approx(2 / 2**4, abs=0.02)


@pytest.mark.parametrize("block", [1, 700])
def test_the_numbers_do_not_depend_on_how_many_rounds_are_held_at_once(
    monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    a, b = [tally(range(40))], [tally(range(50, 100))]
    whole = randomisation_p(a, b, rounds=60)
    monkeypatch.setattr(bootstrap, "_BLOCK", block)
    assert randomisation_p(a, b, rounds=60) == whole


def named(*counts: tuple[float, float]) -> Tally:
    """A tally of a share that is undefined where nothing is named."""
    return Tally(np.array(counts), lambda sums: {"support": ratio(sums[..., 0], sums[..., 1], UNDEFINED)})


def test_rounds_of_which_nothing_can_be_said_count_as_chance() -> None:
    a, b = named((2, 2), (0, 0), (0, 0)), named((0, 0), (0, 0), (0, 2))
    # Half the rounds leave one system without a name; the others leave the difference or turn it round.
    assert randomisation_p([a], [b], rounds=50) == {"support": 1.0}


def test_a_metric_that_is_undefined_for_a_seed_is_left_out() -> None:
    defined, undefined = named((1, 2), (0, 2)), named((0, 0), (0, 0))
    assert randomisation_p([defined], [defined, undefined], rounds=9) == {}
