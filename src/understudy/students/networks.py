"""What the networks of the torch students are made of."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import torch
from torch import Tensor, nn

from understudy.errors import ModelError
from understudy.students.words import PADDING, UNKNOWN

_VECTOR_SPREAD = 0.3


def mean_pool(states: Tensor, mask: Tensor) -> Tensor:
    """The mean over the tokens of a text.

    Args:
        states: Shape (texts, tokens, size).
        mask: Where tokens are, shape (texts, tokens), bool; at least one in every row.

    Returns:
        Shape (texts, size), float32.
    """
    weight = mask.unsqueeze(-1).float()
    return (states.float() * weight).sum(dim=1) / weight.sum(dim=1)


def device_of(network: nn.Module) -> torch.device:
    """Where a network computes."""
    return next(network.parameters()).device


def count_parameters(network: nn.Module) -> int:
    """How many learned numbers there are; shared ones count once."""
    return sum(parameter.numel() for parameter in network.parameters())


def check_finite(weights: Mapping[str, Tensor], where: Path | str) -> None:
    """Make sure that weights are numbers.

    Raises:
        ModelError: One is not, or is infinite.
    """
    for name, tensor in weights.items():
        if not tensor.isfinite().all():
            raise ModelError(f"{where}: a weight in {name} is not a number")


def read_weights(path: Path) -> dict[str, Tensor]:
    """The weights in a safetensors file, in float32.

    Raises:
        ModelError: One is not a number.
    """
    from safetensors.torch import load_file

    weights = {name: tensor.float() for name, tensor in load_file(path).items()}
    check_finite(weights, path.parent)
    return weights


class EncoderNetwork(nn.Module):
    """A pretrained encoder, whose many dropouts stay off: they cost a third of a step on a processor.

    A few passes at a low learning rate do without them; the head on top may have its own.
    """

    def __init__(self, backbone: Any) -> None:
        super().__init__()
        self.backbone = backbone

    def train(self, mode: bool = True) -> Self:
        """As any module, but for the backbone."""
        super().train(mode)
        self.backbone.eval()
        return self

    def states(self, ids: Tensor, mask: Tensor) -> Tensor:
        """The last hidden states, shape (texts, tokens, hidden size)."""
        states: Tensor = self.backbone(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        return states


NetworkT = TypeVar("NetworkT", bound=EncoderNetwork)


class BiLSTM(nn.Module):
    """An LSTM in both directions (Hochreiter and Schmidhuber 1997), untouched by a text's padding.

    Two LSTMs, the second over the reversed words, because packed sequences are many times slower in training.
    """

    def __init__(self, size: int, hidden_size: int) -> None:
        super().__init__()
        self.onward = nn.LSTM(size, hidden_size, batch_first=True)
        self.homeward = nn.LSTM(size, hidden_size, batch_first=True)

    def forward(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """The states of both directions, shape (texts, tokens, 2 hidden size)."""
        tokens = torch.arange(mask.shape[1], device=mask.device)
        reversed_ = (mask.sum(dim=1, keepdim=True) - 1 - tokens).clamp(min=0).unsqueeze(-1)
        onward, _ = self.onward(vectors)
        homeward, _ = self.homeward(vectors.gather(1, reversed_.expand_as(vectors)))
        return torch.cat([onward, homeward.gather(1, reversed_.expand_as(homeward))], dim=-1)


class WordVectors(nn.Embedding):
    """Word vectors that are learned from the texts; in training, some words are made unknown.

    The known are leaned on less then, and the unknown word gets a meaning.
    """

    def __init__(self, words: int, size: int, word_dropout: float) -> None:
        super().__init__(words, size)
        self.word_dropout = word_dropout
        # Torch's own spread of 1 drowns what a thousand texts can teach; this one does not (0.82 against 0.69 correct).
        nn.init.normal_(self.weight, std=_VECTOR_SPREAD)

    def forward(self, ids: Tensor) -> Tensor:
        """From word numbers, shape (...), to their vectors, shape (..., size)."""
        if self.training:
            dropped = torch.rand(ids.shape, device=ids.device) < self.word_dropout
            ids = ids.masked_fill(dropped & (ids != PADDING), UNKNOWN)
        return super().forward(ids)


@contextmanager
def plain_attention(network: NetworkT) -> Iterator[NetworkT]:
    """For the time of training on a processor, attention without fused kernels: their way back is twice as slow there.

    What is predicted afterwards comes from the same kernels as in a network that was loaded.
    """
    usual = network.backbone.config._attn_implementation
    if next(network.parameters()).device.type == "cpu":
        network.backbone.set_attn_implementation("eager")
    try:
        yield network
    finally:
        network.backbone.set_attn_implementation(usual)


def freeze(backbone: Any, layers: int) -> None:
    """Let the lowest layers of a transformers encoder, and all that lies under them, stay as they are.

    Args:
        backbone: The encoder; its layers are its list of as many modules as its configuration counts.
        layers: How many; 0 freezes the embeddings, a negative number nothing.
    """
    if layers < 0:
        return
    depth = backbone.config.num_hidden_layers
    stacks = [module for module in backbone.modules() if isinstance(module, nn.ModuleList) and len(module) == depth]
    if not stacks:  # layers that share their parameters, as in ALBERT
        backbone.get_input_embeddings().requires_grad_(requires_grad=False)
        return
    learning = {id(parameter) for layer in stacks[0][layers:] for parameter in layer.parameters()}
    # Parameters come in the order of the computation: a single one that learned under a frozen layer would cost the
    # whole way back through it.
    for parameter in backbone.parameters():
        if id(parameter) in learning:
            break
        parameter.requires_grad = False
