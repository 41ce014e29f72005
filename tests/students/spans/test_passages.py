"""Texts cut into passages to be tagged, and stitched together."""

import math
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.example import Example, Span
from understudy.segments import words
from understudy.students.spans.passages import Tagged, passages_of, tagged, texts_of
from understudy.students.spans.tags import Tags

TAGS = Tags(["X"])
TEXT = "Ada left. Bert stayed in New\nYork.  \n\n …  The end"


def example(*spans: Span, text: str = TEXT) -> Example:
    return Example(id="a", text=text, target=spans, source="gold", weight=0.5)


def names(part: Example) -> list[str]:
    assert isinstance(part.target, tuple)
    return [part.text[span.start : span.end] for span in part.target]


def test_each_sentence_is_an_example_with_its_own_spans() -> None:
    parts = passages_of(example(Span(0, 3, "X"), Span(10, 14, "X")))
    assert [part.text for part in parts] == ["Ada left.", "Bert stayed in New", "York.", "…", "The end"]
    assert [names(part) for part in parts] == [["Ada"], ["Bert"], [], [], []]
    assert [part.id for part in parts] == [f"a/{number}" for number in range(5)]
    assert {part.weight for part in parts} == {0.5}


def test_an_entity_is_never_cut() -> None:
    parts = passages_of(example(Span(25, 33, "X")))
    assert [part.text for part in parts] == ["Ada left.", "Bert stayed in New\nYork.", "…", "The end"]
    assert names(parts[1]) == ["New\nYork"]


def test_a_text_without_words_has_no_passages() -> None:
    assert passages_of(example(text=" \n ")) == []
    assert [(p.target, p.confidence) for p in tagged([" \n ", ""], TAGS, lambda parts: [])] == [((), 1.0), ((), 1.0)]


def test_probabilities_that_are_off_by_rounding_stay_probabilities() -> None:
    assert tagged(["Ada."], TAGS, lambda parts: [Tagged([1, 0], 1e-6)])[0].confidence == 1.0
    assert tagged(["Ada."], TAGS, lambda parts: [Tagged([1, 0], -1e6)])[0].confidence == 0.0


def test_a_passage_belongs_to_the_text_that_it_was_cut_from() -> None:
    texts = [replace(example(text="One. Two."), id=id_) for id_ in ("x/0", "x", "x/0/1")]
    assert list(texts_of([passage for text in texts for passage in passages_of(text)])) == [0, 0, 1, 1, 2, 2]


def test_a_text_of_many_sentences_and_entities_takes_no_longer_than_it_must() -> None:
    spans = tuple(Span(9 * number, 9 * number + 3, "X") for number in range(5_000))
    began = time.process_time()
    parts = passages_of(example(*spans, text="Ada ran. " * 5_000))
    assert time.process_time() - began < 2
    assert [names(part) for part in parts] == [["Ada"]] * 5_000


def test_a_very_long_sentence_is_cut() -> None:
    parts = passages_of(example(text="word " * 300))
    assert [len(words(part.text)) for part in parts] == [128, 128, 44]


@given(st.lists(st.text(alphabet="aB. \n", max_size=30), max_size=4))
def test_what_is_found_in_a_passage_is_where_it_stands_in_the_text(texts: list[str]) -> None:
    """A tagger that marks every word with a capital letter."""

    def tag(parts: list[str]) -> list[Tagged]:
        return [Tagged([int("B" in part[a:b]) for a, b in words(part)], math.log(0.5)) for part in parts]

    for text, answer in zip(texts, tagged(texts, TAGS, tag), strict=True):
        assert isinstance(answer.target, tuple)
        assert list(answer.target) == [Span(a, b, "X") for a, b in words(text) if "B" in text[a:b]]
        assert answer.confidence == pytest.approx(0.5 ** len(passages_of(example(text=text))))
