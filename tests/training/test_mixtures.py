import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy import registry
from understudy.errors import DataError, UnknownName
from understudy.example import Example
from understudy.training.mixtures import Mixture
from understudy.training.shares import Share

SHARES: dict[str, Share] = {name: registry.find("mixture", name) for name in registry.names("mixture")}

shares = st.sampled_from(sorted(SHARES))
sizes = st.integers(1, 60)
seeds = st.integers(0, 2**32 - 1)


def examples(prefix: str, count: int) -> list[Example]:
    return [Example(id=f"{prefix}-{i}", text="word " * (1 + i % 7), target="yes") for i in range(count)]


def mixture(name: str, gold: int, distilled: int) -> Mixture:
    return Mixture(examples("gold", gold), examples("distilled", distilled), name, SHARES[name])


def drawn(mix: Mixture, steps: int, batch_size: int, seed: int = 0, *, sort: bool = True) -> list[list[str]]:
    lengths = [len(example.text) for example in mix.examples] if sort else None
    return [[mix.examples[i].id for i in batch] for batch in mix.batches(steps, batch_size, seed, lengths)]


def is_distilled(batch: list[str]) -> list[bool]:
    return [name.startswith("distilled") for name in batch]


@given(name=shares, gold=sizes, distilled=sizes, steps=st.integers(1, 60), batch_size=st.integers(1, 9), seed=seeds)
@settings(max_examples=150, deadline=None)
def test_the_realised_share_follows_s(
    name: str, gold: int, distilled: int, steps: int, batch_size: int, seed: int
) -> None:
    mix = mixture(name, gold, distilled)
    batches = drawn(mix, steps, batch_size, seed)
    assert [len(batch) for batch in batches] == [batch_size] * steps
    realised = np.cumsum([sum(is_distilled(batch)) for batch in batches])
    asked = np.cumsum([mix.s((step + 0.5) / steps) * batch_size for step in range(steps)])
    # Every batch's rounding is taken up by the next, so that at no time is the count off by more than one half.
    assert np.abs(realised - asked).max() <= 0.5 + 1e-6


@given(name=shares, gold=sizes, distilled=sizes, batch_size=st.integers(1, 9), seed=seeds, sort=st.booleans())
@settings(max_examples=100, deadline=None)
def test_every_example_of_a_source_is_drawn_before_any_is_drawn_again(
    name: str, gold: int, distilled: int, batch_size: int, seed: int, sort: bool
) -> None:
    mix = mixture(name, gold, distilled)
    steps = mix.steps(3, batch_size)
    counts = Counter(itertools.chain.from_iterable(drawn(mix, steps, batch_size, seed, sort=sort)))
    for source, size in (("gold", gold), ("distilled", distilled)):
        of_source = [counts[f"{source}-{i}"] for i in range(size)]
        assert max(of_source) - min(of_source) <= 1


@pytest.mark.parametrize("name", ["union", "simple_mix"])
def test_a_small_source_is_drawn_to_the_last_example(name: str) -> None:
    batches = drawn(mixture(name, gold=3, distilled=2000), steps=1000, batch_size=8)
    assert {name for batch in batches for name in batch if name.startswith("gold")} == {"gold-0", "gold-1", "gold-2"}


@given(gold=sizes, distilled=sizes, epochs=st.floats(0.1, 5), batch_size=st.integers(1, 40))
@settings(deadline=None)
def test_every_arm_takes_the_same_number_of_steps(gold: int, distilled: int, epochs: float, batch_size: int) -> None:
    steps = {mixture(name, gold, distilled).steps(epochs, batch_size) for name in SHARES}
    assert len(steps) == 1
    assert math.isclose(steps.pop() * batch_size, epochs * (gold + distilled), abs_tol=batch_size)


def test_gold_never_draws_distilled_and_distilled_never_draws_gold() -> None:
    for name, distilled in (("gold", False), ("distilled", True)):
        batches = drawn(mixture(name, gold=5, distilled=50), steps=200, batch_size=4)
        assert {kind for batch in batches for kind in is_distilled(batch)} == {distilled}
    assert all(not example.id.startswith("distilled") for example in mixture("gold", 5, 50).examples)


def test_simple_mix_is_distilled_first_then_gold() -> None:
    kinds = [set(is_distilled(batch)) for batch in drawn(mixture("simple_mix", 10, 30), steps=40, batch_size=4)]
    assert kinds == [{True}] * 30 + [{False}] * 10


def test_batches_follow_from_the_seed() -> None:
    mix = mixture("union", 20, 60)
    assert drawn(mix, 30, 8, seed=1) == drawn(mix, 30, 8, seed=1)
    assert drawn(mix, 30, 8, seed=1) != drawn(mix, 30, 8, seed=2)


def test_batches_hold_examples_of_like_length() -> None:
    mix = mixture("distilled", 0, 700)
    spread = {}
    for sort in (True, False):
        batches = drawn(mix, steps=80, batch_size=8, sort=sort)
        lengths = {example.id: len(example.text) for example in mix.examples}
        spread[sort] = np.mean([np.ptp([lengths[name] for name in batch]) for batch in batches])
    assert spread[True] < spread[False] / 5


def test_batches_of_like_length_do_not_gather_the_copies_of_an_example() -> None:
    batches = drawn(mixture("gold", gold=30, distilled=500), steps=100, batch_size=10)
    # A batch may lie across two passes, and then hold an example twice; it never holds one more often.
    assert max(max(Counter(batch).values()) for batch in batches) <= 2
    assert np.mean([len(set(batch)) for batch in batches]) > 9.5


@given(name=shares, gold=sizes, distilled=sizes, count=st.integers(1, 30))
@settings(deadline=None)
def test_segments_are_the_whole_training_and_follow_s(name: str, gold: int, distilled: int, count: int) -> None:
    mix = mixture(name, gold, distilled)
    segments = mix.segments(count)
    assert math.isclose(sum(segment.fraction for segment in segments), 1.0)
    start = 0.0
    for segment in segments:
        assert 0 < segment.fraction <= 1
        assert math.isclose(segment.share, mix.s(start + segment.fraction / 2), abs_tol=1e-9)
        start += segment.fraction


def test_every_jump_falls_between_two_segments() -> None:
    segments = mixture("needle", 7, 93).segments(10)
    assert [segment.share for segment in segments] == [0.0, 1.0, 0.0]
    assert [segment.fraction for segment in segments] == pytest.approx([0.035, 0.93, 0.035])


def test_a_jump_falls_between_two_segments() -> None:
    segments = mixture("simple_mix", 7, 93).segments(10)
    assert [segment.share for segment in segments] == [1.0, 0.0]
    assert math.isclose(segments[0].fraction, 0.93)


@given(name=shares, gold=sizes, distilled=sizes)
@settings(deadline=None)
def test_emphasis_gives_each_source_its_share(name: str, gold: int, distilled: int) -> None:
    mix = mixture(name, gold, distilled)
    of_distilled = np.array(is_distilled([example.id for example in mix.examples]))
    for segment in mix.segments():
        emphasis = mix.emphasis(segment)
        assert math.isclose(emphasis[of_distilled].sum() / emphasis.sum(), segment.share, abs_tol=1e-9)
        assert math.isclose(emphasis[emphasis > 0].mean(), 1.0)


def test_a_thinned_mixture_shares_as_the_whole_one_does() -> None:
    whole = mixture("simple_mix", 30, 90)
    thinned = whole.thinned(lambda some: some[:20]).thinned(lambda some: some[::2])
    assert [len(some) for some in (thinned.gold, thinned.distilled)] == [10, 10]
    assert thinned.m == pytest.approx(whole.m)
    assert [segment.fraction for segment in thinned.segments()] == pytest.approx([0.75, 0.25])


def test_the_parts_of_a_thinned_mixture_share_as_the_parts_of_all_do() -> None:
    def parts(example: Example) -> list[Example]:
        return [example] * (3 if example.id.startswith("gold") else 2)

    whole = mixture("union", 30, 60)
    assert whole.thinned(lambda some: some[:10]).split(parts).m == pytest.approx(whole.split(parts).m) == 120 / 210


@pytest.mark.parametrize(
    ("name", "gold", "distilled", "missing"),
    [("gold", 0, 5, "gold"), ("distilled", 5, 0, "distilled"), ("linear", 0, 5, "gold"), ("linear", 5, 0, "distilled")],
)
def test_a_source_that_is_drawn_on_must_not_be_empty(name: str, gold: int, distilled: int, missing: str) -> None:
    with pytest.raises(DataError, match=f"{name}.*draws on {missing} examples"):
        mixture(name, gold, distilled)


def test_a_name_leads_to_its_share() -> None:
    mix = Mixture.named("union", examples("gold", 1), examples("distilled", 3))
    assert [mix.s(u) for u in (0.1, 0.9)] == [0.75, 0.75]
    with pytest.raises(UnknownName, match="did you mean 'simple_mix'"):
        Mixture.named("simple_mx", [], [])


@pytest.mark.parametrize("name", ["gold", "distilled", "union", "simple_mix"])
@pytest.mark.parametrize("blank", [{"gold"}, {"distilled"}, {"gold", "distilled"}])
def test_a_source_whose_texts_hold_nothing_to_learn_is_told_by_its_name(name: str, blank: set[str]) -> None:
    def words(example: Example) -> list[Example]:
        return [] if example.id.partition("-")[0] in blank else [example, example]

    mix = mixture(name, 4, 6)
    used = {"gold": {"gold"}, "distilled": {"distilled"}}.get(name, {"gold", "distilled"})
    if used & blank:
        source = "gold" if "gold" in used & blank else "distilled"
        with pytest.raises(DataError, match=f"not one of the {source} texts to learn from holds a word"):
            mix.split(words)
    else:
        assert len(mix.split(words).examples) == 2 * len(mix.examples)
