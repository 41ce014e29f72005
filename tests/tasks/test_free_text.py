from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.errors import DataError, ParseError
from understudy.tasks.free_text import lengths, medoid, parse_text, read_text, render_text

_whole_texts = st.text(min_size=1).filter(str.strip)


@given(_whole_texts)
def test_a_text_is_read_back_as_it_was_written(text: str) -> None:
    assert parse_text(render_text(text, "summary"), "summary") == read_text(text) == text


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        ("A summary.", r'not JSON; expected {"summary": ...}'),
        ('{"text": "a"}', r'no summary; expected {"summary": ...}'),
        ('{"summary": ["a"]}', "the summary is no text"),
        ('{"summary": null}', "the summary is no text"),
        ('{"summary": " \\n"}', "the summary is empty"),
        ('{"summary": "\\ud83d"}', "the summary holds half a character"),
    ],
)
def test_a_reply_without_a_text_is_refused(reply: str, reason: str) -> None:
    with pytest.raises(ParseError, match=reason):
        parse_text(reply, "summary")


@pytest.mark.parametrize("value", [None, 3, ["a"], {"summary": "a"}, "", " \n", "\ud83d"])
def test_a_cell_without_a_text_is_refused(value: Any) -> None:
    with pytest.raises(DataError, match="expected the text to be written"):
        read_text(value)


@pytest.mark.parametrize(
    ("texts", "agreed", "agreement"),
    [
        (["a b c d", "a b c e", "x y"], "a b c d", (3 / 4 + 0) / 2),
        (["x y", "a b", "a b"], "a b", 1 / 2),
        (["a b", "x y"], "a b", 0),
    ],
)
def test_votes_agree_on_the_text_that_is_most_like_the_others(texts: list[str], agreed: str, agreement: float) -> None:
    found, likeness = medoid(texts)
    assert found == agreed
    assert likeness == pytest.approx(agreement)


def test_a_text_alone_agrees_with_itself_even_without_words() -> None:
    assert medoid(["!"]) == ("!", 1.0)
    assert medoid(["!", "!", "?"]) == ("!", 0.5)


@given(st.lists(st.sampled_from(["a b", "a c", "b c d", "北京"]), min_size=1, max_size=6))
def test_the_agreed_text_is_one_of_the_answers(texts: list[str]) -> None:
    text, agreement = medoid(texts)
    assert text in texts
    assert 0 <= agreement <= 1


def test_lengths_are_of_the_answers_given_and_over_the_words_wanted() -> None:
    found = lengths(*(np.array([count, 0.0]) for count in (9.0, 12.0, 2.0)))
    assert found["words"][0] == 4.5
    assert found["length_ratio"][0] == 0.75
    assert np.isnan([found["words"][1], found["length_ratio"][1]]).all()
