import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import pytest

pytest.importorskip("torch")

import torch
from torch import Tensor

from understudy.students.sequences.decoding import Decoding, Found, beam_search
from understudy.students.sequences.habits import Habits

END = 0
WORDS = 4


class Chain(NamedTuple):
    """A Markov chain for each text: what comes next hangs on the last word and the text only."""

    logs: Tensor

    @property
    def rows(self) -> int:
        return len(self.logs)

    @property
    def device(self) -> torch.device:
        return self.logs.device

    def chosen(self, rows: Tensor) -> "Chain":
        return Chain(self.logs[rows])


def chains(texts: int, seed: int = 0, sharpness: float = 2.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (sharpness * torch.randn(texts, WORDS, WORDS, generator=generator)).log_softmax(dim=-1)


def found(
    logs: Tensor, *, beams: int = 4, longest: int = 5, late: Sequence[int] = (), shortest: int = 1, **says_again: bool
) -> list[Found]:
    habits = Habits(shortest, longest, **{"stutters": True, **says_again})
    how = Decoding(beams=beams, habits=habits, end=END, late=late)
    rows = torch.arange(len(logs)).repeat_interleave(beams)

    def step(last: Tensor, state: Chain) -> tuple[Tensor, Chain]:
        return state.logs[torch.arange(len(last)), last].clone(), state

    return beam_search(step, Chain(logs[rows]), how)


def mean(logs: Tensor, words: list[int]) -> float:
    path = [END, *words, END]
    return sum(float(logs[a, b]) for a, b in itertools.pairwise(path)) / (len(path) - 1)


def repeats(words: Sequence[int]) -> bool:
    triples = list(zip(words, words[1:], words[2:], strict=False))
    return len(set(triples)) < len(triples)


def best_of_all(logs: Tensor, longest: int) -> list[int]:
    every = itertools.chain.from_iterable(itertools.product([1, 2, 3], repeat=n) for n in range(1, longest + 1))
    unrepeated = [list(words) for words in every if not repeats(words)]
    return max(unrepeated, key=lambda words: mean(logs, words))


@pytest.mark.parametrize("seed", range(5))
def test_a_wide_search_finds_the_most_probable_text(seed: int) -> None:
    logs = chains(3, seed)
    for text, answer in zip(logs, found(logs, beams=200, longest=4), strict=True):
        if len(answer.words) < 4:
            assert answer.words == best_of_all(text, 3)
            assert answer.score == pytest.approx(mean(text, answer.words), abs=1e-5)
            assert answer.probability == pytest.approx(math.exp(answer.score))


def test_one_beam_takes_the_most_probable_word_at_every_step() -> None:
    logs = chains(6, seed=3)
    for text, answer in zip(logs, found(logs, beams=1, longest=3), strict=True):
        greedy: list[int] = []
        last = END
        while len(greedy) < 3:
            choices = text[last].tolist()
            last = max(range(WORDS), key=lambda word: choices[word] if word != END or greedy else -math.inf)
            if last == END:
                break
            greedy.append(last)
        assert answer.words == greedy


def test_a_text_is_the_same_in_any_company() -> None:
    logs = chains(8, seed=1)
    together = found(logs)
    assert [found(text[None])[0].words for text in logs] == [answer.words for answer in together]


@pytest.mark.parametrize("beams", [1, 2, 4])
def test_no_text_is_shorter_or_longer_than_allowed(beams: int) -> None:
    for answer in found(chains(10, seed=2), beams=beams, shortest=2, longest=4):
        assert 2 <= len(answer.words) <= 4
        assert END not in answer.words


def test_no_three_words_are_said_twice() -> None:
    circle = torch.full((1, WORDS, WORDS), 1e-3)
    for word in range(WORDS):
        circle[0, word, word % 3 + 1] = 1.0
    assert not repeats(found(circle.log(), longest=20)[0].words)
    words = found(circle.log(), beams=1, longest=20)[0].words
    assert not repeats(words)
    assert words[:4] == [1, 2, 3, 1]


def test_three_words_are_said_twice_where_that_is_usual() -> None:
    circle = torch.full((1, WORDS, WORDS), 1e-3)
    for word in range(WORDS):
        circle[0, word, word % 3 + 1] = 1.0
    assert found(circle.log(), beams=1, longest=8, repeats=True)[0].words == [1, 2, 3, 1, 2, 3, 1, 2]


def test_no_word_follows_itself_unless_that_is_usual() -> None:
    logs = chains(20, seed=5)
    logs[:, 1, 1] = 2.0
    doubled = [any(a == b for a, b in itertools.pairwise(answer.words)) for answer in found(logs)]
    assert any(doubled)
    for answer in found(logs, stutters=False):
        assert all(a != b for a, b in itertools.pairwise(answer.words))


def test_some_words_cannot_come_first() -> None:
    assert {answer.words[0] for answer in found(chains(10, seed=4), beams=2, late=[1, 2])} == {3}


def test_something_is_said_even_where_nothing_may_come() -> None:
    only_end = torch.full((1, WORDS, WORDS), -80.0)
    only_end[..., END] = 0.0
    answer = found(only_end, shortest=1)[0]
    assert len(answer.words) >= 1
    assert 0.0 <= answer.probability <= 1.0
