"""How sure a tagger may be, learned from whether validation is right as a whole."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from understudy.example import Example, Span
from understudy.students.spans.certainty import answer_temperature, judged_by
from understudy.students.spans.tags import Tags

TAGS = Tags(["X"])
RIGHT, WRONG = [1, 0], [0, 0]


def validation(count: int) -> list[Example]:
    """Texts of two sentences with a name in each."""
    return [Example(id=f"v{n}", text="Ada. Bert.", target=(Span(0, 3, "X"), Span(5, 9, "X"))) for n in range(count)]


def sure(passages: int) -> Callable[[float], NDArray[np.float64]]:
    """Each passage's tags have a probability of one half at a temperature of 1, and more at a lower one."""
    return lambda temperature: np.full(passages, temperature * np.log(0.5))


def test_texts_are_as_sure_as_they_are_right_as_a_whole() -> None:
    """A sentence of every other text is wrong: three in four sentences are right, but only half of the texts."""
    passages = judged_by(validation(200))
    paths = [WRONG if place % 4 == 0 else RIGHT for place in range(400)]
    found = answer_temperature(passages, paths, sure(400), TAGS)
    assert 0.5 ** (2 * found) == pytest.approx(0.5, abs=0.01)


def test_of_few_texts_each_passage_is_an_answer() -> None:
    passages = judged_by(validation(40))
    paths = [WRONG if place % 4 == 0 else RIGHT for place in range(80)]
    found = answer_temperature(passages, paths, sure(80), TAGS)
    assert 0.5**found == pytest.approx(0.75, abs=0.02)


def test_a_span_that_no_tags_can_give_is_never_right() -> None:
    inside_a_word = [Example(id=f"v{n}", text="Ada.", target=(Span(0, 2, "X"),)) for n in range(200)]
    passages = judged_by(inside_a_word)
    found = answer_temperature(passages, [RIGHT] * 200, sure(200), TAGS)
    assert 0.5**found < 0.01


def test_it_is_learned_from_a_thousand_texts_at_most() -> None:
    assert len(judged_by(validation(3_000))) == 2_000


def test_without_validation_nothing_is_changed() -> None:
    assert answer_temperature([], [], lambda temperature: np.zeros(0), TAGS) == 1.0
