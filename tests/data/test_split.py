import math
from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from understudy.data.load import text_key
from understudy.data.split import hold_out, spread
from understudy.example import Example, Span


def rows(labels: list[str]) -> list[Example]:
    return [Example(id=str(i), text=f"text {i}", target=label, source="gold") for i, label in enumerate(labels)]


def copies(labels: list[tuple[str, int]]) -> list[Example]:
    """Rows of which many have the same text, but for case and white space."""
    return [
        Example(id=str(i), text=f"Text  {text}" if i % 2 else f"text {text}", target=label, source="gold")
        for i, (label, text) in enumerate(labels)
    ]


labelled = st.lists(st.sampled_from("abcdefgh"), max_size=60).map(rows)
shares = st.floats(0, 0.99)


@given(labelled, shares, st.integers(0, 5))
def test_every_example_is_on_one_side_in_its_former_order(examples: list[Example], share: float, seed: int) -> None:
    kept, held_out = hold_out(examples, share, seed)
    for side in (kept, held_out):
        assert side == sorted(side, key=lambda example: int(example.id))
    assert sorted([*kept, *held_out], key=lambda example: int(example.id)) == examples


@given(labelled, shares, st.integers(0, 5))
def test_of_every_target_about_the_share_is_held_out_and_one_stays(
    examples: list[Example], share: float, seed: int
) -> None:
    kept, held_out = hold_out(examples, share, seed)
    total, out = Counter(row.target for row in examples), Counter(row.target for row in held_out)
    assert set(Counter(row.target for row in kept)) == set(total)
    for target, count in total.items():
        assert out[target] <= math.ceil(share * count)
        assert out[target] >= min(math.floor(share * count) - 1, count - 1)
    assert len(held_out) <= round(share * len(examples)) + 1


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 9)), max_size=60).map(copies), shares)
def test_equal_texts_are_on_one_side(examples: list[Example], share: float) -> None:
    kept, held_out = hold_out(examples, share, 0)
    assert not {text_key(row.text) for row in kept} & {text_key(row.text) for row in held_out}
    assert len(held_out) <= round(share * len(examples)) + 1
    assert bool(kept) is bool(examples)


def test_two_rows_of_the_same_id_are_two_rows() -> None:
    examples = [Example(id="same", text=f"text {i}", target="a", source="gold") for i in range(4)]
    kept, held_out = hold_out(examples, 0.25, 0)
    assert (len(kept), len(held_out)) == (3, 1)


def test_with_enough_of_every_target_the_share_is_met() -> None:
    _, held_out = hold_out(rows(["a"] * 50 + ["b"] * 30 + ["c"] * 7), 0.2, 0)
    assert len(held_out) == round(0.2 * 87)
    assert Counter(row.target for row in held_out)["a"] == 10


def test_many_rare_targets_do_not_empty_a_common_one() -> None:
    singles = [f"rare {number}" for number in range(30)]
    kept, held_out = hold_out(rows([*singles, *["common"] * 5]), 0.2, 0)
    assert len(held_out) == 1
    assert sum(row.target == "common" for row in kept) == 4


def test_the_seed_decides() -> None:
    examples = rows(["a", "b"] * 20)
    splits = [[row.id for row in hold_out(examples, 0.3, seed)[1]] for seed in (0, 0, 1, 2)]
    assert splits[0] == splits[1]
    assert len({tuple(split) for split in splits}) == 3


def test_nothing_is_held_out_of_nothing_or_with_a_share_of_nothing() -> None:
    assert hold_out([], 0.5, 0) == ([], [])
    examples = rows(["a"] * 9)
    assert hold_out(examples, 0.0, 0) == (examples, [])


def test_targets_that_are_no_labels_are_one_group() -> None:
    spans = [Example(id=str(i), text=f"text {i}", target=(Span(0, i, "PER"),), source="gold") for i in range(10)]
    assert len(hold_out(spans, 0.3, 0, alike=False)[1]) == 3


@given(items=st.lists(st.integers(), max_size=60), most=st.integers(1, 40))
def test_items_spread_out_are_as_many_as_may_be_and_evenly_spaced(items: list[int], most: int) -> None:
    places = spread(range(len(items)), most)
    assert spread(items, most) == [items[place] for place in places]
    assert len(places) == min(len(items), most)
    assert places[:1] == [0] * bool(items)
    gaps = {later - place for place, later in pairwise([*places, len(items)])}
    assert not gaps or (min(gaps) >= 1 and max(gaps) - min(gaps) <= 1)
