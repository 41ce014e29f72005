import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.errors import ModelError
from understudy.example import is_whole
from understudy.students.sequences.pieces import END, JOINT, LINE, OpenVocabulary, joined, pieces
from understudy.students.words import UNKNOWN, Vocabulary

WORDS = OpenVocabulary.of(["Ada met Bert. Ada left.", "Bert met Ada."], 100, 50)
PROSE = st.text(st.sampled_from("Ab9. ,\n'-—你好é\u0301\u202e🙂\t"), max_size=60)


def with_plain_space(text: str) -> str:
    return re.sub(r"\s+", lambda gap: "\n" if "\n" in gap.group() else " ", text.strip())


def test_pieces_carry_the_space_before_them() -> None:
    text = 'He said: "don\'t".\n\nBut 3.5 % is (almost) it…'
    assert pieces(text, 10) == [" He", " said", ":", ' "', " ", " don", "'", " ", " t", '"']
    assert joined(pieces(text, 100)) == text.replace("\n\n", "\n")
    assert pieces("one\n two", 9) == [" one", "\n", " two"]
    assert pieces("你好。你 x你", 9) == [" 你", "好", "。", "你", " x", "你"]
    assert pieces(" \n\t ", 9) == []


@given(PROSE)
def test_pieces_put_together_are_the_text_with_plain_space(text: str) -> None:
    assert joined(pieces(text, 100)) == with_plain_space(text)


@given(st.text(st.characters(), max_size=200))
def test_pieces_of_any_text_are_few_short_and_whole(text: str) -> None:
    found = pieces(text, 7)
    assert len(found) <= 7
    assert all(is_whole(piece) and len(piece) <= 65 for piece in found)


def test_very_long_texts_and_words_are_cut() -> None:
    assert pieces("x" * 100_000, 400) == [" " + "x" * 64]
    assert len(pieces("goal " * 20_000, 400)) == 400
    assert pieces(" " * 100_000 + "goal", 400) == [" goal"]


def test_half_characters_are_replaced() -> None:
    assert joined(pieces("half a \ud83d character 🙂", 9)) == "half a \ufffd character 🙂"


@given(PROSE)
def test_what_a_text_says_itself_can_be_written_from_it(text: str) -> None:
    reading = WORDS.read(text, 100)
    wanted = WORDS.wanted(text, reading.strangers, 200)
    assert wanted == [*reading.ids, END]
    assert UNKNOWN not in wanted
    assert WORDS.text(reading.ids, reading.strangers) == with_plain_space(text)


def test_strangers_are_numbered_beyond_the_vocabulary() -> None:
    reading = WORDS.read("Zoë met Xu, Zoë.", 50)
    size = len(WORDS.known)
    assert reading.strangers == [" Zoë", " Xu", ","]
    assert reading.ids[0] == reading.ids[4] == size
    assert reading.ids[1] == WORDS.known.number(" met")
    assert WORDS.wanted("Xu met Carl.", reading.strangers, 50)[:3] == [size + 1, reading.ids[1], UNKNOWN]


def test_a_word_is_the_same_stranger_wherever_it_stands() -> None:
    reading = WORDS.read("Zoë left.", 50)
    wanted = WORDS.wanted('("Zoë")', reading.strangers, 50)
    assert wanted == [UNKNOWN, UNKNOWN, JOINT, reading.ids[0], UNKNOWN, UNKNOWN, END]
    assert WORDS.text([JOINT, reading.ids[0]], reading.strangers) == "Zoë"


def test_rare_words_are_not_known_and_line_breaks_are() -> None:
    words = OpenVocabulary.of(["often often often once\nonce often", "twice twice twice"], 100, 4)
    assert words.known.words == ["", "\n", " ", " often", " twice"]
    assert words.known.number("\n") == LINE
    assert OpenVocabulary.of(["a b b c c c c b"], 1, 50).known.words == ["", "\n", " ", " c"]


def test_what_is_wanted_is_cut_without_an_end() -> None:
    assert END not in WORDS.wanted("Ada met Bert. Ada left.", [], 3)
    assert len(WORDS.wanted("Ada met Bert. Ada left.", [], 3)) == 3


@pytest.mark.parametrize(
    "value", [[], ["\n", "", " "], ["", " a"], ["", "\n"], ["", "\n", "\n"], {"": 1}, None, [1, 2]]
)
def test_other_vocabularies_are_refused(value: Any) -> None:
    with pytest.raises(ModelError, match="the vocabulary"):
        OpenVocabulary.from_json(value)


def test_a_vocabulary_survives_json() -> None:
    again = OpenVocabulary.from_json(list(WORDS.known.words))
    assert isinstance(again.known, Vocabulary)
    assert again.read("Ada met Zoë", 9) == WORDS.read("Ada met Zoë", 9)
