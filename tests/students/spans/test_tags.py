"""Spans to tags and back, and the best allowed sequence of tags."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.students import small
from understudy.errors import ModelError
from understudy.example import Span
from understudy.segments import words
from understudy.students.spans.tags import Tags

TAGS = Tags(["PER", "LOC"])
TEXT = "Ada Smith of Rome-Nord met Bert Bert."
WORDS = words(TEXT)


def test_a_span_is_a_begin_and_what_it_goes_on_with() -> None:
    spans = (Span(0, 9, "PER"), Span(13, 17, "LOC"), Span(27, 31, "PER"), Span(32, 36, "PER"))
    tags = TAGS.encode(WORDS, spans)
    assert [TAGS.names[tag] for tag in tags] == ["B-PER", "I-PER", "O", "B-LOC", "O", "O", "O", "B-PER", "B-PER", "O"]
    assert TAGS.decode(WORDS, tags) == spans


def test_a_span_that_cuts_a_word_takes_the_whole_of_it() -> None:
    tags = TAGS.encode(WORDS, (Span(5, 9, "PER"),))
    assert TAGS.decode(WORDS, tags) == (Span(4, 9, "PER"),)
    two_in_one = TAGS.encode([(0, 8)], (Span(0, 3, "PER"), Span(3, 8, "LOC")))
    assert TAGS.decode([(0, 8)], two_in_one) == (Span(0, 8, "PER"),)


def test_two_spans_that_share_a_word_both_begin() -> None:
    text = "AdaRome Oslo"
    for type_ in ("LOC", "PER"):
        tags = TAGS.encode(words(text), (Span(0, 3, "PER"), Span(3, 12, type_)))
        assert TAGS.decode(words(text), tags) == (Span(0, 7, "PER"), Span(8, 12, type_))
        assert all(TAGS.allowed[before, tag] for before, tag in itertools.pairwise((0, *tags)))


@given(st.lists(st.integers(0, 4), min_size=len(WORDS), max_size=len(WORDS)))
def test_what_is_decoded_is_encoded_again(tags: list[int]) -> None:
    spans = TAGS.decode(WORDS, tags)
    assert TAGS.decode(WORDS, TAGS.encode(WORDS, spans)) == spans


def test_an_inside_that_continues_nothing_begins_a_span() -> None:
    inside_per, inside_loc = TAGS.begin("PER") + 1, TAGS.begin("LOC") + 1
    assert TAGS.decode([(0, 1), (2, 3), (4, 5)], [inside_per, inside_loc, inside_loc]) == (
        Span(0, 1, "PER"),
        Span(2, 5, "LOC"),
    )


@given(st.lists(st.lists(st.integers(-9, 9), min_size=5, max_size=5), min_size=1, max_size=5))
def test_the_best_path_is_the_best_of_all_allowed_ones(rows: list[list[int]]) -> None:
    scores = np.array(rows, dtype=float)

    def worth(path: tuple[int, ...]) -> float:
        legal = all(TAGS.allowed[before, tag] for before, tag in itertools.pairwise((0, *path)))
        return float(scores[range(len(path)), path].sum()) if legal else -np.inf

    best = max(worth(path) for path in itertools.product(range(5), repeat=len(rows)))
    assert worth(tuple(TAGS.best_path(scores))) == best


def test_no_words_have_no_tags() -> None:
    assert TAGS.best_path(np.zeros((0, 5))) == []
    assert TAGS.encode([], ()) == []
    assert TAGS.decode([], []) == ()


def test_a_task_without_entity_types_has_no_tags() -> None:
    assert Tags.of(small.NER_TASK).names == ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
    with pytest.raises(ModelError, match="Classification has no entity types"):
        Tags.of(small.TASK)
