"""The networks behind the torch students; each maps token ids and their mask to one row of logits a text."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

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


def check_finite(weights: Mapping[str, Tensor], where: Path | str) -> None:
    """Make sure that weights are numbers.

    Raises:
        ModelError: One is not, or is infinite.
    """
    for name, tensor in weights.items():
        if not tensor.isfinite().all():
            raise ModelError(f"{where}: a weight in {name} is not a number")


class EncoderClassifier(nn.Module):
    """A pretrained encoder, the mean over its last hidden states, and a linear head."""

    def __init__(self, backbone: Any, labels: int, dropout: float) -> None:
        super().__init__()
        self.backbone = backbone
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(backbone.config.hidden_size, labels)

    def train(self, mode: bool = True) -> Self:
        """As any module, but for the backbone, whose many dropouts cost a third of a step on a processor.

        A few passes at a low learning rate do without them; the head's own remains.
        """
        super().train(mode)
        self.backbone.eval()
        return self

    def pooled(self, ids: Tensor, mask: Tensor) -> Tensor:
        """What the head sees, shape (texts, hidden size)."""
        return mean_pool(self.backbone(input_ids=ids, attention_mask=mask.long()).last_hidden_state, mask)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Logits, shape (texts, labels)."""
        logits: Tensor = self.head(self.dropout(self.pooled(ids, mask)))
        return logits


class LSTMClassifier(nn.Module):
    """Word vectors, a bidirectional LSTM over them, attention pooling over both, and a linear head."""

    def __init__(
        self, *, words: int, labels: int, embedding_size: int, hidden_size: int, dropout: float, word_dropout: float
    ) -> None:
        super().__init__()
        self.word_dropout = word_dropout
        self.embedding = nn.Embedding(words, embedding_size)
        # Torch's own spread of 1 drowns what a thousand texts can teach; this one does not (0.82 against 0.69 correct).
        nn.init.normal_(self.embedding.weight, std=_VECTOR_SPREAD)
        self.onward = nn.LSTM(embedding_size, hidden_size, batch_first=True)
        self.homeward = nn.LSTM(embedding_size, hidden_size, batch_first=True)
        self.attention = nn.Linear(2 * hidden_size, 1)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(embedding_size + 2 * hidden_size, labels)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Logits, shape (texts, labels)."""
        vectors = self.dropout(self.embedding(self._without_some_words(ids)))
        states = self._read(vectors, mask)
        attention = self.attention(states).squeeze(-1).masked_fill(~mask, -torch.inf).softmax(dim=1)
        pooled = (torch.cat([vectors, states], dim=-1) * attention.unsqueeze(-1)).sum(dim=1)
        logits: Tensor = self.head(self.dropout(pooled))
        return logits

    def _read(self, vectors: Tensor, mask: Tensor) -> Tensor:
        """The states of both directions, shape (texts, tokens, 2 hidden size), untouched by a text's padding.

        Two LSTMs, the second over the reversed words, because packed sequences are many times slower in training.
        """
        tokens = torch.arange(mask.shape[1], device=mask.device)
        reversed_ = (mask.sum(dim=1, keepdim=True) - 1 - tokens).clamp(min=0).unsqueeze(-1)
        onward, _ = self.onward(vectors)
        homeward, _ = self.homeward(vectors.gather(1, reversed_.expand_as(vectors)))
        return torch.cat([onward, homeward.gather(1, reversed_.expand_as(homeward))], dim=-1)

    def _without_some_words(self, ids: Tensor) -> Tensor:
        """In training, some words are made unknown: they are leaned on less, and the unknown word gets a meaning."""
        if not self.training:
            return ids
        dropped = torch.rand(ids.shape, device=ids.device) < self.word_dropout
        return ids.masked_fill(dropped & (ids != PADDING), UNKNOWN)


@contextmanager
def plain_attention(network: EncoderClassifier) -> Iterator[None]:
    """For the time of training on a processor, attention without fused kernels: their way back is twice as slow there.

    What is predicted afterwards comes from the same kernels as in a network that was loaded.
    """
    usual = network.backbone.config._attn_implementation
    if next(network.parameters()).device.type == "cpu":
        network.backbone.set_attn_implementation("eager")
    try:
        yield
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
