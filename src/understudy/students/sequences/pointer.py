"""The pointer-generator: a network that writes a text word by word, each out of its vocabulary or out of the source."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from understudy.students.networks import BiLSTM, WordVectors
from understudy.students.words import PADDING, UNKNOWN


class Source(NamedTuple):
    """Texts as they were read.

    Attributes:
        states: Shape (texts, tokens, 2 hidden size).
        ids: Extended numbers: those of a text's unknown words lie beyond the vocabulary. Shape (texts, tokens).
        mask: Where tokens are, likewise, bool.
    """

    states: Tensor
    ids: Tensor
    mask: Tensor

    def chosen(self, rows: Tensor) -> "Source":
        """Some of the texts, perhaps one more than once."""
        return Source(*(part[rows] for part in self))


class Memory(NamedTuple):
    """What is known of the texts under way.

    Attributes:
        hidden: The state of the LSTM, shape (texts, hidden size).
        cell: Its cell, likewise.
        coverage: The attention that each token has had, shape (texts, tokens).
    """

    hidden: Tensor
    cell: Tensor
    coverage: Tensor

    @property
    def rows(self) -> int:
        """How many texts these are."""
        return len(self.hidden)

    @property
    def device(self) -> torch.device:
        """Where it lies."""
        return self.hidden.device

    def chosen(self, rows: Tensor) -> "Memory":
        """What is known of some of the texts, perhaps of one more than once."""
        return Memory(*(part[rows] for part in self))


class Outlook(NamedTuple):
    """What a network would write next, after each of some words.

    Attributes:
        logits: Of the known words, shape (texts, words, vocabulary).
        attention: To the tokens of the source, shape (texts, words, tokens).
        switch: Logits of generating rather than copying, shape (texts, words).
        overlap: Attention to what had it before, in [0, 1], shape (texts, words).
    """

    logits: Tensor
    attention: Tensor
    switch: Tensor
    overlap: Tensor


class PointerGenerator(nn.Module):
    """A bidirectional LSTM that reads, and an LSTM with attention and coverage that writes (See et al. 2017).

    Attention is bilinear (Luong et al. 2015), and the output layer shares the word vectors (Press and Wolf 2017), so
    that a thousand texts suffice to learn from, on a processor.
    """

    def __init__(
        self, *, words: int, embedding_size: int, hidden_size: int, dropout: float, word_dropout: float
    ) -> None:
        super().__init__()
        self.words = words
        self.embedding = WordVectors(words, embedding_size, word_dropout)
        self.reader = BiLSTM(embedding_size, hidden_size)
        self.bridge = nn.Linear(2 * hidden_size, 2 * hidden_size)
        self.writer = nn.LSTM(embedding_size, hidden_size, batch_first=True)
        self.query = nn.Linear(hidden_size, 2 * hidden_size)
        self.weariness = nn.Parameter(torch.zeros(1))
        self.mixer = nn.Linear(3 * hidden_size, embedding_size)
        self.offsets = nn.Parameter(torch.zeros(words))
        self.switch = nn.Linear(3 * hidden_size + embedding_size, 1)
        self.dropout = nn.Dropout(dropout)

    def read(self, ids: Tensor, mask: Tensor) -> tuple[Source, Memory]:
        """Read texts.

        Args:
            ids: Extended numbers, shape (texts, tokens).
            mask: Where tokens are, likewise, bool.
        """
        states = self.reader(self._vectors(ids), mask)
        onward, homeward = states.chunk(2, dim=-1)
        last = mask.sum(dim=1) - 1
        ends = torch.cat([onward[torch.arange(len(ids), device=ids.device), last], homeward[:, 0]], dim=-1)
        hidden, cell = self.bridge(ends).tanh().chunk(2, dim=-1)
        return Source(states, ids, mask), Memory(hidden, cell, torch.zeros_like(mask, dtype=states.dtype))

    def write(self, previous: Tensor, source: Source, memory: Memory) -> tuple[Outlook, Memory]:
        """Say what comes after each of some words.

        Args:
            previous: Extended numbers of what is written, shape (texts, words).
            source: What it is written from.
            memory: From what was written before.
        """
        vectors = self._vectors(previous)
        states, (hidden, cell) = self.writer(
            vectors, (memory.hidden[None].contiguous(), memory.cell[None].contiguous())
        )
        attention, overlap, coverage = self._attend(states, source, memory.coverage)
        features = torch.cat([states, attention @ source.states], dim=-1)
        mixed = self.mixer(self.dropout(features)).tanh()
        logits = functional.linear(mixed, self.embedding.weight, self.offsets)
        switch = self.switch(torch.cat([features, vectors], dim=-1)).squeeze(-1)
        return Outlook(logits, attention, switch, overlap), Memory(hidden[0], cell[0], coverage)

    def forward(self, ids: Tensor, mask: Tensor, previous: Tensor, wanted: Tensor) -> tuple[Tensor, Tensor]:
        """How probable wanted texts are, word by word.

        Args:
            ids: Extended numbers of the sources, shape (texts, tokens).
            mask: Where tokens are, likewise, bool.
            previous: Extended numbers of the words before those that are wanted, shape (texts, words).
            wanted: Extended numbers, likewise.

        Returns:
            The logarithms of their probabilities, and how much attention went where it had been before, both of shape
            (texts, words).
        """
        source, memory = self.read(ids, mask)
        written, _ = self.write(previous, source, memory)
        known = written.logits.gather(-1, self._known(wanted).unsqueeze(-1)).squeeze(-1)
        generated = (known - written.logits.logsumexp(dim=-1)).masked_fill(wanted >= self.words, float("-inf"))
        found = (source.ids[:, None, :] == wanted[:, :, None]) & mask[:, None, :]
        copied = _log((written.attention * found).sum(dim=-1))
        sides = functional.logsigmoid(written.switch) + generated, functional.logsigmoid(-written.switch) + copied
        return torch.logaddexp(*sides), written.overlap

    def next_words(self, previous: Tensor, source: Source, memory: Memory, size: int) -> tuple[Tensor, Memory]:
        """How probable each word is after the last ones.

        Args:
            previous: Extended numbers, shape (texts,).
            source: What is written from.
            memory: From what was written before.
            size: Words in the vocabulary as the sources extend it.

        Returns:
            The logarithms of their probabilities, shape (texts, size); padding and the unknown word have none, nor has
            a word that only another of the sources holds.
        """
        written, memory = self.write(previous.unsqueeze(1), source, memory)
        generating = written.switch.sigmoid()
        generated = generating * written.logits.squeeze(1).softmax(dim=-1)
        probabilities = functional.pad(generated, (0, size - self.words))
        copied = (1 - generating) * written.attention.squeeze(1)
        probabilities.scatter_add_(1, source.ids, copied)
        logs = probabilities.log()  # minus infinity for the words of other sources alone: nobody must choose those
        logs[:, [PADDING, UNKNOWN]] = float("-inf")
        return logs, memory

    def _attend(self, states: Tensor, source: Source, coverage: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The attention after each word, its overlap with all attention before, and their sum."""
        scores = self.query(states) @ source.states.transpose(1, 2)
        scores = scores.masked_fill(~source.mask[:, None, :], float("-inf"))
        attention, overlap = [], []
        for step in scores.unbind(dim=1):
            attended = (step - self.weariness * coverage).softmax(dim=-1)
            overlap.append(torch.minimum(attended, coverage).sum(dim=-1))
            coverage = coverage + attended
            attention.append(attended)
        return torch.stack(attention, dim=1), torch.stack(overlap, dim=1), coverage

    def _vectors(self, ids: Tensor) -> Tensor:
        vectors: Tensor = self.dropout(self.embedding(self._known(ids)))
        return vectors

    def _known(self, ids: Tensor) -> Tensor:
        """The numbers, with the unknown word for all beyond the vocabulary."""
        return ids.masked_fill(ids >= self.words, UNKNOWN)


def _log(probabilities: Tensor) -> Tensor:
    """The logarithm, finite where nothing is probable: a gradient must not become infinite."""
    return probabilities.clamp(min=torch.finfo(probabilities.dtype).tiny).log()
