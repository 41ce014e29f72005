"""Taggers that judge each word by itself: what they learn from, and how they decide."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.students.small import NER_TASK
from understudy.errors import DataError
from understudy.example import Example, Span
from understudy.progress import Silent
from understudy.segments import words
from understudy.students.spans import wordwise
from understudy.students.spans.tags import Tags
from understudy.students.spans.values import Values
from understudy.students.spans.wordwise import Lessons, WordwiseTagger
from understudy.training.mixtures import Mixture

OUTSIDE, PERSON, MORE_OF_PERSON, PLACE = range(4)


class Fixed(WordwiseTagger):
    """Gives words their logits in turn, whatever they are, and remembers what it was taught."""

    def __init__(self, *logits: list[float]) -> None:
        super().__init__(NER_TASK, Values(100, fewest=1))
        self.logits = logits
        self.asked: list[int] = []

    def count_parameters(self) -> int:
        return 0

    def _learn(self, mixture: Mixture, lessons: Lessons, progress: Any) -> int:
        self.mixture, self.lessons = mixture, lessons
        self._values.fit(lessons.passages)
        return 3

    def _logits(self, numbers: Any) -> Any:
        self.asked.append(len(numbers))
        return np.array([self.logits[place % len(self.logits)] for place in range(len(numbers))])


class Told(Silent):
    """Progress that keeps what it was told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def mixture(*examples: Example) -> Mixture:
    return Mixture.named("gold", examples, [])


ADA = Example(id="a", text="Ada Smith left. Oslo", target=(Span(0, 9, "PER"), Span(16, 20, "LOC")), weight=0.5)
BO = Example(id="b/1", text="Bo", target=(Span(0, 2, "PER"),))


def taught(*examples: Example, validation: tuple[Example, ...] = (), **logits: Any) -> Fixed:
    tagger = Fixed(*logits.get("logits", [[0.0, 4.0, 0.0, 0.0, 0.0]]))
    assert tagger.fit(mixture(*examples), validation, Silent()).steps == 3
    return tagger


def test_the_words_of_all_passages_stand_in_a_row() -> None:
    lessons = taught(ADA, BO).lessons
    assert lessons.passages == ["Ada Smith left.", "Oslo", "Bo"]
    assert list(lessons.tags) == [PERSON, MORE_OF_PERSON, OUTSIDE, OUTSIDE, PLACE, PERSON]
    assert list(lessons.passage) == [0, 0, 0, 0, 1, 2]
    assert list(lessons.text) == [0, 0, 1]
    assert list(lessons.by_word(np.array([1.0, 2.0, 3.0]))) == [0.5, 0.5, 0.5, 0.5, 1.0, 3.0]


def test_texts_without_a_word_teach_nothing() -> None:
    with pytest.raises(DataError, match="holds a word"):
        taught(Example(id="a", text=" \n", target=()))


def test_what_goes_on_without_a_beginning_is_not_chosen() -> None:
    """Word by word, the second tag would be the best for both words."""
    tagger = taught(ADA, logits=[[1.0, 1.5, 3.0, 0.0, 0.0]])
    assert tagger.predict(["Zoe Smith"])[0].target == (Span(0, 9, "PER"),)


def test_the_confidence_is_the_probability_of_all_words_tags_together() -> None:
    logits = [[5.0, 0.0, 0.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0, 0.0]]
    tagger = taught(ADA, logits=logits)
    sure = (np.exp(5) / (np.exp(5) + 4)) * (np.exp(2) / (np.exp(2) + 4))
    assert tagger.predict(["Zoe Smith"])[0].confidence == pytest.approx(sure)
    assert tagger.predict(["Zoe Smith. Zoe."])[0].confidence == pytest.approx(sure**2 * np.exp(5) / (np.exp(5) + 4))
    tagger.temperature = 2.0
    less_sure = (np.exp(2.5) / (np.exp(2.5) + 4)) * (np.exp(1) / (np.exp(1) + 4))
    assert tagger.predict(["Zoe Smith"])[0].confidence == pytest.approx(less_sure)


def test_a_tagger_becomes_as_sure_as_it_is_right_on_validation() -> None:
    """Half of the texts are right, whatever the share of their words is."""
    text = "Oslo Oslo Oslo Oslo"
    right = tuple(Span(start, start + 4, "PER") for start, _ in words(text))
    validation = [Example(id=f"v{n}", text=text, target=right[: 4 - n % 2]) for n in range(60)]
    tagger = taught(ADA, validation=tuple(validation))
    assert tagger.predict([text])[0].confidence == pytest.approx(0.5, abs=0.02)
    assert taught(ADA).temperature == 1.0


def test_of_a_source_with_very_many_words_texts_at_even_distances_are_learned_from(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(wordwise, "_MOST_WORDS", 20)
    gold = [Example(id=f"g{number}", text="Ada left Oslo again.", target=()) for number in range(40)]
    distilled = [Example(id=f"d{number}", text="Oslo. Oslo.", target=()) for number in range(4)]
    tagger, told = Fixed([0.0, 4.0, 0.0, 0.0, 0.0]), Told()
    tagger.fit(Mixture.named("union", gold, distilled), [], told)
    assert told.lines == ["8 of 44 texts are learned from: all fill the memory"]
    assert tagger.lessons.passages == ["Oslo."] * 8 + ["Ada left Oslo again."] * 4
    assert [passage.id for passage in tagger.mixture.gold] == ["g0/0", "g10/0", "g20/0", "g30/0"]
    assert tagger.mixture.m == pytest.approx(8 / 48)


def test_many_passages_are_looked_at_a_thousand_at_a_time() -> None:
    tagger = taught(ADA)
    answers = tagger.predict(["Ada. Bo. Cy."] * 800)
    assert len(answers) == 800
    assert tagger.asked == [2000, 2000, 800]


def test_the_lessons_of_no_examples_are_empty() -> None:
    lessons = Lessons.of([], Tags.of(NER_TASK))
    assert len(lessons.tags) == len(lessons.by_word(np.zeros(0))) == 0


def test_what_is_seen_of_words_is_written_and_read(tmp_path: Path) -> None:
    tagger, again = taught(ADA), Fixed([0.0, 4.0, 0.0, 0.0, 0.0])
    tagger.write(tmp_path)
    again.read(tmp_path)
    assert again.predict([ADA.text]) == tagger.predict([ADA.text])
