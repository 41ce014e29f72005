"""The network that extracts: it maps documents, as the tokens of their sentences, to a score for every sentence."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from understudy.students.networks import EncoderNetwork, mean_pool

_SIZE = 128
_HEADS = 4
_PLACES = 4
_WITHIN = 0.1
"""Dropout inside the layer, which needs less of it than its input does."""
_USUAL = 32
"""Tokens in a sentence."""
_AT_ONCE = 32
"""Sentences that are read together: those of like length, so that little of it is padding."""


class SentenceRanker(nn.Module):
    """From the vectors of a document's sentences, and their places, by one transformer layer to a score for each.

    That layer is what tells a sentence what the others say already (Liu and Lapata 2019).
    """

    def __init__(self, size: int, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.meaning = nn.Linear(size, _SIZE)
        self.standing = nn.Linear(_PLACES + 1, _SIZE)
        self.layer = nn.TransformerEncoderLayer(
            _SIZE, _HEADS, 2 * _SIZE, _WITHIN, activation="gelu", batch_first=True, norm_first=True
        )
        self.norm = nn.LayerNorm(_SIZE)
        self.head = nn.Linear(_SIZE, 1)

    def forward(self, vectors: Tensor, mask: Tensor, counts: Tensor) -> Tensor:
        """Logits of being taken, shape (documents, sentences).

        Args:
            vectors: Shape (documents, sentences, size + 1); the last number of each says how long the sentence is.
            mask: Where sentences are, shape (documents, sentences), bool; at least one in every row.
            counts: How many sentences each document has, read or not, shape (documents,).
        """
        meaning, length = vectors[..., :-1], vectors[..., -1:]
        standing = torch.cat([length, _places(mask, counts)], dim=-1)
        states = self.meaning(self.dropout(meaning)) + self.standing(standing)
        states = self.layer(states, src_key_padding_mask=~mask)
        logits: Tensor = self.head(self.norm(states)).squeeze(-1)
        return logits


class ExtractingEncoder(EncoderNetwork):
    """A pretrained encoder that reads sentence by sentence, mean-pooled, and a ranker of what it makes of them.

    Reading a document in one piece (Liu and Lapata 2019) was measured to be no better, and is slower the longer it is.
    """

    def __init__(self, backbone: Any, dropout: float) -> None:
        super().__init__(backbone)
        self.ranker = SentenceRanker(backbone.config.hidden_size, dropout)

    def vectors(self, ids: Tensor, mask: Tensor) -> Tensor:
        """From the tokens of sentences, shape (sentences, tokens), to shape (sentences, hidden size + 1).

        The last number is how many tokens there are, in units of a usual sentence.
        """
        lengths = mask.sum(dim=1)
        order = lengths.argsort(stable=True)
        pooled = []
        for places in torch.split(order, _AT_ONCE):
            longest = int(lengths[places[-1]])
            within = mask[places, :longest]
            pooled.append(mean_pool(self.states(ids[places, :longest], within), within))
        return torch.cat([torch.cat(pooled)[order.argsort()], lengths.unsqueeze(1) / _USUAL], dim=1)

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Logits of being taken, shape (documents, sentences); ``ids`` and ``tokens`` have one dimension more."""
        mask = batch["mask"]
        found = self.vectors(batch["ids"][mask], batch["tokens"][mask])
        vectors = found.new_zeros(*mask.shape, found.shape[1])
        vectors[mask] = found
        logits: Tensor = self.ranker(vectors, mask, batch["counts"])
        return logits


def _places(mask: Tensor, counts: Tensor) -> Tensor:
    """Where each sentence stands, shape (documents, sentences, _PLACES); smooth, so that later places are met too."""
    before = torch.arange(mask.shape[1], device=mask.device).expand(mask.shape)
    count = counts.unsqueeze(1).expand(mask.shape)
    behind = (count - before).clamp(min=1)
    return torch.stack([1 / (1 + before), 1 / behind, before.log1p(), count.log1p()], dim=-1)
