"""Batches for the torch students: sequences of unlike length side by side, and how far off the answers are."""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor


def pad(sequences: Sequence[Sequence[int]], filler: int) -> tuple[Tensor, Tensor]:
    """Sequences of token ids as one block.

    An empty sequence becomes one filler that counts as a token, so that every row has something to pool over.

    Returns:
        The ids, shape (sequences, longest), and where they are tokens rather than padding, of the same shape, bool.
    """
    filled = [sequence or (filler,) for sequence in sequences]
    longest = max(map(len, filled))
    ids = torch.tensor([[*sequence, *[filler] * (longest - len(sequence))] for sequence in filled])
    lengths = torch.tensor([len(sequence) for sequence in filled])
    return ids, torch.arange(longest)[None, :] < lengths[:, None]


def by_length(lengths: Sequence[int], size: int) -> Iterator[list[int]]:
    """Batches of places, each at most ``size``, the longest first, so that a batch holds sequences of like length."""
    order = sorted(range(len(lengths)), key=lambda place: -lengths[place])
    for start in range(0, len(order), size):
        yield order[start : start + size]


def cross_entropy(logits: Tensor, wanted: Tensor, weight: Tensor) -> Tensor:
    """The weighted mean cross-entropy between wanted and predicted distributions over labels.

    Args:
        logits: Shape (examples, labels).
        wanted: The same shape; rows sum to 1.
        weight: Shape (examples,). A batch of light examples makes for a light step.
    """
    per_example = -(wanted * logits.float().log_softmax(dim=-1)).sum(dim=-1)
    return (weight * per_example).mean()
