"""The shapes of words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.students.spans.shapes import SHAPES, shape


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("goal", "lower"),
        ("écart", "lower"),
        ("Rome", "capitalised"),
        ("Ελλάδα", "capitalised"),
        ("J", "letter"),
        ("NATO", "upper"),
        ("G7", "upper"),
        ("1996", "digits"),
        ("McKay", "mixed"),
        ("iPhone", "mixed"),
        ("2nd", "mixed"),
        ("比", "caseless"),
        ("المباراة", "caseless"),
        (".", "mark"),
        ("🙂", "mark"),
        ("\x00", "mark"),
        ("\ud83d", "mark"),
        ("_", "mark"),
    ],
)
def test_a_word_has_a_shape(word: str, name: str) -> None:
    assert SHAPES[shape(word)] == name


@given(st.text())
def test_every_text_has_one(word: str) -> None:
    assert 0 <= shape(word) < len(SHAPES)
