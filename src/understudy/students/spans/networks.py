"""The networks that tag; each maps a batch of passages to what every tag is worth for every word."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from understudy.students.networks import BiLSTM, EncoderNetwork, WordVectors
from understudy.students.spans.crf import CRF
from understudy.students.spans.shapes import NO_SHAPE, SHAPES
from understudy.students.spans.tags import Tags
from understudy.students.words import PADDING

_SHAPE_SIZE = 16
_CHARACTER_SIZE = 32
_FILTERS = 64
_WIDTH = 3


class TaggingEncoder(EncoderNetwork):
    """A pretrained encoder, its tokens' states pooled into one for each word, and a linear head.

    The shapes of words are added to what the encoder reads, because many a vocabulary has no capital letters. They
    begin as nothing, so that it sets out as it was pretrained.
    """

    def __init__(self, backbone: Any, tags: Tags, *, dropout: float, crf: bool) -> None:
        super().__init__(backbone)
        self.shapes = nn.Embedding(len(SHAPES), backbone.get_input_embeddings().embedding_dim, padding_idx=NO_SHAPE)
        nn.init.zeros_(self.shapes.weight)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(backbone.config.hidden_size, len(tags))
        self.crf = CRF(tags, learned=crf)

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Scores, shape (passages, words, tags), float32."""
        vectors = self.backbone.get_input_embeddings()(batch["ids"]) + self.shapes(batch["shapes"])
        seen = self.backbone(inputs_embeds=vectors, attention_mask=batch["tokens"].long()).last_hidden_state
        states = batch["pooling"].to(seen.dtype) @ seen
        scores: Tensor = self.head(self.dropout(states))
        return scores.float()


def pooling(of_tokens: Tensor, words: int, *, first: bool) -> Tensor:
    """The weight of each token in the state of each word, shape (passages, words, tokens).

    Args:
        of_tokens: The place of the word that each token belongs to, shape (passages, tokens); negative for none.
        words: How many words the longest passage has.
        first: Whether a word's first token speaks for it, rather than the mean of all. A word without tokens has none.
    """
    weight = (of_tokens.unsqueeze(1) == torch.arange(words).unsqueeze(1)).float()
    if first:
        weight *= weight.cumsum(dim=2) == 1
    return weight / weight.sum(dim=2, keepdim=True).clamp(min=1)


class CharacterCNN(nn.Module):
    """What the spelling of a word says: a convolution over its characters, and the most of each filter."""

    def __init__(self, characters: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(characters, _CHARACTER_SIZE, padding_idx=PADDING)
        # So wide that a blank window always takes part: how long other words are makes no difference then.
        self.convolution = nn.Conv1d(_CHARACTER_SIZE, _FILTERS, _WIDTH, padding=_WIDTH)

    def forward(self, characters: Tensor) -> Tensor:
        """From characters, shape (passages, words, characters), to shape (passages, words, filters)."""
        vectors = self.embedding(characters.flatten(0, 1)).transpose(1, 2)
        found: Tensor = self.convolution(vectors).amax(dim=2)
        return found.view(*characters.shape[:2], _FILTERS)


class TaggingLSTM(nn.Module):
    """A character CNN, word vectors and shapes, a bidirectional LSTM over them, and a CRF (Ma and Hovy 2016)."""

    def __init__(
        self,
        tags: Tags,
        *,
        words: int,
        characters: int,
        embedding_size: int,
        hidden_size: int,
        dropout: float,
        word_dropout: float,
    ) -> None:
        super().__init__()
        self.embedding = WordVectors(words, embedding_size, word_dropout)
        self.spelling = CharacterCNN(characters)
        self.shapes = nn.Embedding(len(SHAPES), _SHAPE_SIZE)
        self.reader = BiLSTM(embedding_size + _FILTERS + _SHAPE_SIZE, hidden_size)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(2 * hidden_size, len(tags))
        self.crf = CRF(tags, learned=True)

    def forward(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Scores, shape (passages, words, tags)."""
        parts = [self.embedding(batch["words"]), self.spelling(batch["characters"]), self.shapes(batch["shapes"])]
        states = self.reader(self.dropout(torch.cat(parts, dim=-1)), batch["mask"])
        scores: Tensor = self.head(self.dropout(states))
        return scores
