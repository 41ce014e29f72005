"""The networks that classify; each maps token ids and their mask to one row of logits a text."""

from typing import Any

import torch
from torch import Tensor, nn

from understudy.students.networks import BiLSTM, EncoderNetwork, WordVectors, mean_pool


class PooledEncoder(EncoderNetwork):
    """A pretrained encoder, the mean over its last hidden states, and a linear head."""

    def __init__(self, backbone: Any, labels: int, dropout: float) -> None:
        super().__init__(backbone)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(backbone.config.hidden_size, labels)

    def pooled(self, ids: Tensor, mask: Tensor) -> Tensor:
        """What the head sees, shape (texts, hidden size)."""
        return mean_pool(self.states(ids, mask), mask)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Logits, shape (texts, labels)."""
        logits: Tensor = self.head(self.dropout(self.pooled(ids, mask)))
        return logits


class AttentiveLSTM(nn.Module):
    """Word vectors, a bidirectional LSTM over them, attention pooling (Yang et al. 2016), and a linear head."""

    def __init__(
        self, *, words: int, labels: int, embedding_size: int, hidden_size: int, dropout: float, word_dropout: float
    ) -> None:
        super().__init__()
        self.embedding = WordVectors(words, embedding_size, word_dropout)
        self.reader = BiLSTM(embedding_size, hidden_size)
        self.attention = nn.Linear(2 * hidden_size, 1)
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(embedding_size + 2 * hidden_size, labels)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Logits, shape (texts, labels)."""
        vectors = self.dropout(self.embedding(ids))
        states = self.reader(vectors, mask)
        attention = self.attention(states).squeeze(-1).masked_fill(~mask, float("-inf")).softmax(dim=1)
        pooled = (torch.cat([vectors, states], dim=-1) * attention.unsqueeze(-1)).sum(dim=1)
        logits: Tensor = self.head(self.dropout(pooled))
        return logits
