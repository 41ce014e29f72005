import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch")

import torch

from understudy.training.batching import by_length, cross_entropy, pad


@given(st.lists(st.lists(st.integers(1, 9), max_size=6), min_size=1, max_size=6))
def test_padding_keeps_every_token_and_marks_nothing_else(sequences: list[list[int]]) -> None:
    ids, mask = pad(sequences, filler=0)
    assert ids.shape == mask.shape
    for row, kept, sequence in zip(ids, mask, sequences, strict=True):
        assert row[kept].tolist() == (sequence or [0])
        assert row[~kept].tolist() == [0] * (ids.shape[1] - len(sequence or [0]))


@given(st.lists(st.integers(0, 50)), st.integers(1, 5))
def test_batches_by_length_hold_every_place_once_longest_first(lengths: list[int], size: int) -> None:
    batches = list(by_length(lengths, size))
    places = [place for batch in batches for place in batch]
    assert sorted(places) == list(range(len(lengths)))
    assert [lengths[place] for place in places] == sorted(lengths, reverse=True)
    assert all(len(batch) == size for batch in batches[:-1])


def test_cross_entropy_is_least_at_the_wanted_distribution_and_weighs_examples() -> None:
    wanted = torch.tensor([[0.75, 0.25], [0.0, 1.0]])
    right, wrong = torch.tensor([3.0, 1.0]).log(), torch.tensor([1.0, 3.0]).log()
    both = torch.ones(2)
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    first_only = torch.tensor([2.0, 0.0])
    assert math.isclose(cross_entropy(torch.stack([right, wrong]), wanted, first_only), entropy, rel_tol=1e-6)
    assert cross_entropy(torch.stack([right, wrong]), wanted, both) < cross_entropy(
        torch.stack([wrong, wrong]), wanted, both
    )
    assert math.isclose(
        cross_entropy(torch.stack([wrong, right]), wanted, both / 2),
        cross_entropy(torch.stack([wrong, right]), wanted, both) / 2,
        rel_tol=1e-6,
    )
