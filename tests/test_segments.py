"""Sentences and words of any text, by their characters."""

import itertools
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.segments import sentences, words


def cut(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He left. She stayed.", ["He left.", "She stayed."]),
        (
            "Dr. Smith met J. K. Rowling in St. Ives. It rained!",
            ["Dr. Smith met J. K. Rowling in St. Ives.", "It rained!"],
        ),
        ("It grew by 3.5 per cent. then fell.", ["It grew by 3.5 per cent. then fell."]),
        ("The U.S. Senate voted. Why?", ["The U.S. Senate voted.", "Why?"]),
        ('"Come," he said. "Now!" They went.', ['"Come," he said.', '"Now!"', "They went."]),
        ("he left . she stayed .", ["he left .", "she stayed ."]),
        ("Title without a stop\n\nThe text. ", ["Title without a stop", "The text."]),
        ("比赛结束了。他们赢了！", ["比赛结束了。", "他们赢了！"]),
        ("Wait… What?! No.", ["Wait…", "What?!", "No."]),
        (" \n\t ", []),
        ("", []),
    ],
)
def test_a_text_is_cut_where_its_sentences_end(text: str, expected: list[str]) -> None:
    assert cut(text) == expected


def test_words_are_runs_of_letters_single_marks_and_single_unspaced_characters() -> None:
    text = "Jean-Luc's 3.5m naïve  हिन्दी 比赛 🙂"
    assert [text[a:b] for a, b in words(text)] == [
        *("Jean", "-", "Luc", "'", "s", "3", ".", "5m", "naïve", "हिन्दी", "比", "赛", "🙂")
    ]


@given(st.text(alphabet=st.sampled_from(list("aB .!?\n\"'。é\u0301比\u00a0🙂")), max_size=60))
def test_nothing_but_space_is_left_out(text: str) -> None:
    for bounds in (sentences(text), words(text)):
        assert all(start < end for start, end in bounds)
        assert all(before[1] <= after[0] for before, after in itertools.pairwise(bounds))
    assert "".join("".join(cut(text)).split()) == "".join(text.split())
    assert "".join(text[a:b] for a, b in words(text)).replace("_", "") == "".join(text.split()).replace("_", "")


def test_a_long_text_without_an_end_is_one_sentence() -> None:
    assert sentences("x" * 100_000) == [(0, 100_000)]
    assert len(words("goal " * 20_000)) == 20_000


@pytest.mark.parametrize("filler", [" ", ".", '"', "\n", " \n", '."', "a.", "。", "!」"])
def test_no_text_takes_long(filler: str) -> None:
    began = time.process_time()
    sentences(filler * 50_000)
    words(filler * 50_000)
    assert time.process_time() - began < 3
