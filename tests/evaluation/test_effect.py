import math
from collections.abc import Sequence

import numpy as np
import pytest

from tests.evaluation.samples import SAMPLES, Sample
from tests.evaluation.support import GOLD, TASK, TEXTS, answers, tally
from tests.evaluation.test_randomisation import accuracies, named, tallies
from understudy.evaluation import bootstrap
from understudy.evaluation.bootstrap import Bootstrap
from understudy.evaluation.effect import effect_size
from understudy.tasks.task import Tally

each_task = pytest.mark.parametrize("sample", SAMPLES.values(), ids=SAMPLES)


def without(seeds: Sequence[Tally], item: int, metric: str) -> float:
    kept = [place for place in range(seeds[0].items.shape[0]) if place != item]
    return float(np.mean([Tally(seed.items[kept], seed.metrics).scores()[metric] for seed in seeds]))


@each_task
def test_it_is_what_leaving_out_one_item_after_another_finds(sample: Sample) -> None:
    a, b = tallies(sample, 40, 43), tallies(sample, 26)
    metric, items = sample.task.headline, a[0].items.shape[0]
    difference = np.mean([seed.scores()[metric] for seed in a]) - b[0].scores()[metric]
    pseudo = [
        items * difference - (items - 1) * (without(a, item, metric) - without(b, item, metric))
        for item in range(items)
    ]
    assert effect_size(a, b)[metric] == pytest.approx(difference / np.std(pseudo, ddof=1))


def test_of_a_mean_over_items_it_is_cohens_d_of_the_paired_differences() -> None:
    rng = np.random.default_rng(0)
    ours, theirs = rng.random(300) < 0.8, rng.random(300) < 0.6
    items = ours.astype(float) - theirs
    found = effect_size([accuracies(list(ours))], [accuracies(list(theirs))])["accuracy"]
    assert found == pytest.approx(items.mean() / items.std(ddof=1))


def test_times_the_root_of_the_items_it_is_the_difference_in_standard_errors() -> None:
    wrong = [range(0, 60, 2), range(0, 150, 3)]
    a, b = (tally(places) for places in wrong)
    resamples = Bootstrap(len(GOLD))
    differences = [
        resamples.distributions([system])["macro_f1"].resampled - resamples.distributions([b])["macro_f1"].resampled
        for system in (a,)
    ]
    error = np.std(differences)
    difference = a.scores()["macro_f1"] - b.scores()["macro_f1"]
    assert effect_size([a], [b])["macro_f1"] * math.sqrt(len(GOLD)) == pytest.approx(difference / error, rel=0.08)


def test_the_other_way_round_only_the_sign_differs() -> None:
    a, b = [tally(range(40)), tally(range(50))], [tally(range(30, 90))]
    there, back = effect_size(a, b), effect_size(b, a)
    assert there == {name: -value for name, value in back.items()}
    assert there["accuracy"] > 0


def test_the_size_of_the_test_set_does_not_change_it_much() -> None:
    def system(wrong: Sequence[int], times: int) -> list[Tally]:
        given = [answer.target for answer in answers(wrong)] * times
        return [TASK.tally(GOLD * times, given, TEXTS * times)]

    once, often = (effect_size(system(range(20), times), system(range(10, 60), times)) for times in (1, 4))
    assert often == pytest.approx(once, rel=0.02)


@each_task
def test_systems_that_agree_on_every_item_have_no_effect(sample: Sample) -> None:
    system = tallies(sample, 30, 20)
    assert set(effect_size(system, system).values()) == {0.0}


def test_where_all_items_differ_by_the_same_there_is_nothing_to_measure_by() -> None:
    assert effect_size([accuracies([True] * 9)], [accuracies([False] * 9)]) == {}
    assert effect_size([accuracies([True])], [accuracies([False])]) == {}


def test_what_is_undefined_is_left_out_and_what_leaves_nothing_to_count_changes_nothing() -> None:
    nothing = named((0, 0), (0, 0), (0, 0))
    some = named((1, 1), (0, 0), (0, 0))
    full = named((1, 2), (1, 1), (0, 2))
    assert effect_size([full], [full, nothing]) == {}
    assert math.isfinite(effect_size([full], [some])["support"])


def test_the_numbers_do_not_depend_on_how_many_items_are_held_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = [tally(range(40))], [tally(range(30, 90))]
    whole = effect_size(a, b)
    monkeypatch.setattr(bootstrap, "_BLOCK", 30)
    assert effect_size(a, b) == pytest.approx(whole)
