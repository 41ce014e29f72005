"""Networks over words that they learn themselves: where they set out from, and their weights in a model folder."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from understudy.students.vectors import adopt_vectors, read_vectors, size_of

if TYPE_CHECKING:
    from torch import nn

_WEIGHTS = "model.safetensors"
_VECTORS = "embedding.weight"
"""The parameter of a network whose last rows are the vectors of its words."""

NetworkT = TypeVar("NetworkT", bound="nn.Module")

Build = Callable[[int], NetworkT]
"""From how many numbers a word's vector has to a fresh network."""


def start(build: Build[NetworkT], words: Sequence[str], vectors: Path | None, size: int) -> NetworkT:
    """A fresh network, with the word vectors that there are already.

    Args:
        build: Makes it.
        words: Those it knows, in order.
        vectors: A file of word vectors to start from, if any.
        size: Numbers in a word's vector, where no file says so.

    Raises:
        ModelError: The file cannot be read, or has none of these words.
    """
    from understudy.training.loop import best_device

    found = read_vectors(vectors, words) if vectors else {}
    network = build(size_of(found, size))
    adopt_vectors(found, words, network.get_parameter(_VECTORS))
    return network.to(best_device())


def write(network: "nn.Module", folder: Path) -> None:
    """Write a network's weights into a model folder."""
    from safetensors.torch import save_file

    save_file(network.state_dict(), folder / _WEIGHTS)


def read(build: Build[NetworkT], folder: Path) -> NetworkT:
    """The network whose weights `write` wrote.

    Raises:
        ModelError: A weight is not a number.
    """
    import torch

    from understudy.students.networks import read_weights
    from understudy.training.loop import best_device

    weights = read_weights(folder / _WEIGHTS)
    with torch.device("meta"):  # without memory, of which a hostile manifest may ask for more than there is
        network = build(weights[_VECTORS].shape[1])
    network.load_state_dict(weights, assign=True)
    return network.to(best_device()).eval()
