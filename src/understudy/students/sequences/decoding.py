"""Beam search: the most probable texts that a network can write, word by word."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self, TypeVar

import torch
from torch import Tensor

from understudy.students.sequences.habits import Habits


class State(Protocol):
    """What a network knows of the texts under way."""

    @property
    def rows(self) -> int:
        """How many texts these are."""

    @property
    def device(self) -> torch.device:
        """Where it lies."""

    def chosen(self, rows: Tensor) -> Self:
        """The state of some of the texts, perhaps of one more than once."""


StateT = TypeVar("StateT", bound=State)


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoding:
    """How texts are searched for.

    Attributes:
        beams: Texts under way at a time; 1 takes the most probable word at every step.
        habits: What they keep to: how long they are, and what they may say again.
        end: The number of that mark, with which every text begins.
        late: Numbers of words that none may begin with.
    """

    beams: int
    habits: Habits
    end: int
    late: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """A text that was found.

    Attributes:
        words: Their numbers, without the end.
        score: The mean logarithm of their probabilities, and of the end's.
    """

    words: list[int]
    score: float

    @property
    def probability(self) -> float:
        """The geometric mean of the words' probabilities."""
        return min(1.0, math.exp(self.score))


@dataclass(slots=True)
class _Text:
    """The search for one text.

    Attributes:
        how: How it is searched for.
        under_way: Beginnings, the most probable first.
        scores: The sum of the logarithms of each one's probabilities.
        found: Those that have ended.
    """

    how: Decoding
    under_way: list[list[int]] = field(default_factory=lambda: [[]])
    scores: list[float] = field(default_factory=lambda: [0.0])
    found: list[Found] = field(default_factory=list)

    @property
    def is_done(self) -> bool:
        """Whether as many have ended as were looked for, or all are as long as they may be."""
        length = max(map(len, self.under_way), default=self.how.habits.longest)
        return len(self.found) >= self.how.beams or length >= self.how.habits.longest

    def rows(self) -> list[list[int]]:
        """The beginnings, as many as there are beams."""
        return [*self.under_way, *[[]] * (self.how.beams - len(self.under_way))]

    def advance(self, logs: Sequence[Sequence[float]], words: Sequence[Sequence[int]]) -> list[int]:
        """Lengthen the beginnings by the most probable of some next words.

        Args:
            logs: For each beginning the logarithms of the candidates' probabilities.
            words: For each beginning its candidates.

        Returns:
            Where each beginning stood before it was lengthened; as many places as there are beams.
        """
        beams = self.how.beams
        if self.is_done:
            return list(range(beams))
        candidates = [
            (self.scores[place] + log, place, word)
            for place in range(len(self.scores))
            for log, word in zip(logs[place], words[place], strict=True)
            if log > -math.inf
        ]
        best = sorted(candidates, key=lambda candidate: -candidate[0])[: 2 * beams]
        for score, place, word in best[:beams]:
            if word == self.how.end:
                self._end(self.under_way[place], score)
        going_on = [candidate for candidate in best if candidate[2] != self.how.end][:beams]
        self.under_way = [[*self.under_way[place], word] for _, place, word in going_on]
        self.scores = [score for score, _, _ in going_on]
        return ([place for _, place, _ in going_on] + [0] * beams)[:beams]

    def best(self) -> Found:
        """The most probable text, by the mean over its words; one that was cut off if none has ended."""
        if not self.found:
            for words, score in zip(self.under_way, self.scores, strict=True):
                self._end(words, score)
        return max(self.found, key=lambda found: found.score)

    def _end(self, words: list[int], score: float) -> None:
        self.found.append(Found(words, score / (len(words) + 1)))


def beam_search(step: Callable[[Tensor, StateT], tuple[Tensor, StateT]], state: StateT, how: Decoding) -> list[Found]:
    """The most probable text for each source that keeps to the habits of its kind.

    Unless their kind does, texts never say the same three words twice (Paulus et al. 2018).

    Args:
        step: From the last words, shape (texts * beams,), and the state, to the logarithms of the next words'
            probabilities, shape (texts * beams, words), and the state after them.
        state: Before the first word, with a row for every beam of every text.
        how: How texts are searched for.
    """
    found = [_Text(how) for _ in range(state.rows // how.beams)]
    while not all(text.is_done for text in found):
        written = [words for text in found for words in text.rows()]
        last = torch.tensor([words[-1] if words else how.end for words in written], device=state.device)
        logs, state = step(last, state)
        _bar(logs, written, how)
        logs, words = logs.topk(min(2 * how.beams, logs.shape[1]))
        rows: list[int] = []
        for first, text in zip(range(0, state.rows, how.beams), found, strict=True):
            own = slice(first, first + how.beams)
            rows += [first + row for row in text.advance(logs[own].tolist(), words[own].tolist())]
        state = state.chosen(torch.tensor(rows, device=state.device))
    return [text.best() for text in found]


def _bar(logs: Tensor, written: Sequence[Sequence[int]], how: Decoding) -> None:
    """Make words that may not come next impossible, shape (rows, words); where none may, the text ends."""
    for row, words in enumerate(written):
        logs[row, list(_barred(words, how))] = -math.inf
    logs[logs.isneginf().all(dim=1), how.end] = 0.0


def _barred(words: Sequence[int], how: Decoding) -> set[int]:
    """What may not follow some words."""
    barred = set() if how.habits.repeats else _third_words(words)
    if not how.habits.stutters:
        barred.update(words[-1:])
    if len(words) < how.habits.shortest:
        barred.add(how.end)
    if not words:
        barred.update(how.late)
    return barred


def _third_words(words: Sequence[int]) -> set[int]:
    """What has already followed the last two words."""
    pair = tuple(words[-2:])
    return {third for *before, third in zip(words, words[1:], words[2:], strict=False) if tuple(before) == pair}
