"""Texts cut into the sentences that an extract is chosen from."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.students.small import STRANGE
from understudy.segments import words
from understudy.students.extracts.documents import document, is_extract, spoken


def test_sentences_come_in_the_order_of_the_text() -> None:
    assert document(" Ada left. Why?\nBert  stayed") == ["Ada left.", "Why?", "Bert  stayed"]


def test_a_very_long_sentence_is_cut() -> None:
    assert [len(words(part)) for part in document("word " * 250)] == [100, 100, 50]


def test_the_end_of_a_very_long_text_is_left_out() -> None:
    assert document("".join(f"Sentence {number}. " for number in range(600)))[-1] == "Sentence 499."
    assert len(document("word " * 100_000)) == 500


@pytest.mark.parametrize("text", STRANGE)
def test_no_text_is_too_strange(text: str) -> None:
    assert bool(document(text)) == bool(words(text))


@given(st.text(alphabet="aB. \n!。", max_size=60))
def test_nothing_but_space_is_lost(text: str) -> None:
    assert "".join("".join(document(text)).split()) == "".join(text.split())


def test_words_are_spoken_in_lower_case() -> None:
    assert spoken("Ada's İ") == ["ada", "'", "s", "i̇"]


def test_no_sentence_holds_half_a_character() -> None:
    assert document("Half a \ud83d character. And a whole one.") == ["Half a \ufffd character.", "And a whole one."]


@pytest.mark.parametrize(
    ("summary", "extract"),
    [
        ("It rained.", True),
        ("All left.\nIt  rained.", True),
        ("", True),
        ("It rained", False),
        ("It snowed.", False),
        ("It rained. It snowed.", False),
    ],
)
def test_an_extract_holds_whole_sentences_of_the_text_alone(summary: str, extract: bool) -> None:
    assert is_extract(summary, "It rained. Ada won. All left.") is extract
