import contextlib
import re
import time
import unicodedata
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.errors import ParseError
from understudy.example import Span
from understudy.tasks.mentions import align, closest_passage


def placed(text: str, *mentions: str) -> list[int]:
    return [span.start for span in align([(mention, "X") for mention in mentions], text)]


def loose(mention: str) -> str:
    """What stays of a mention when case, white space and the encoding of accents may drift."""
    return " ".join(unicodedata.normalize("NFC", mention).casefold().split())


def refusal(text: str, *mentions: str) -> str:
    with pytest.raises(ParseError) as error:
        placed(text, *mentions)
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "mentions", "starts"),
    [
        ("Ann met Bob.", ["Ann", "Bob"], [0, 8]),
        ("Ann met Ann and Ann.", ["Ann", "Ann", "Ann"], [0, 8, 16]),
        ("Ann met Ann and Ann.", ["Ann", "Ann"], [0, 8]),
        ("Paris Hilton flew to Paris.", ["Paris Hilton", "Paris"], [0, 21]),
        ("Iranian oil from Iran", ["Iran"], [17]),
        ("Iranian oil from Iran", ["Iranian", "Iran"], [0, 17]),
        ("Iranian oil", ["Iran"], [0]),
        ("Annika and Ann", ["Ann"], [11]),
        ("the anti-EU vote", ["EU"], [9]),
        ("Müllers Müller", ["Müller"], [8]),
        ("cafe\u0301 (U.S.) C++", ["(U.S.)", "C++"], [6, 13]),
        ("我在北京。北京，很大", ["北京", "北京"], [2, 5]),
        ("서울에서 서울", ["서울", "서울"], [0, 5]),
        ("रामायण पढ़ी। फिर राम आया।", ["राम"], [17]),
        ("שָׁלוֹם וְשָׁלוֹ אז שָׁלוֹ", ["שָׁלוֹ"], [20]),
        ("كِتَابُهُ كِتَابُ", ["كِتَابُ"], [10]),
        ("Cafe\u0301s Cafe\u0301", ["Cafe\u0301"], [7]),
        ("Cafe\u0301 cafe", ["Cafe"], [6]),
        ("Duran Duran Duran", ["Duran", "Duran Duran"], [0, 6]),
        ("anything", [], []),
    ],
)
def test_mentions_are_placed_from_left_to_right_as_whole_words_first(
    text: str, mentions: list[str], starts: list[int]
) -> None:
    assert placed(text, *mentions) == starts


def test_a_mention_out_of_order_goes_to_its_only_free_place() -> None:
    assert placed("Ann met Bob.", "Bob", "Ann") == [0, 8]
    assert placed("Ann met Annika and Bob.", "Bob", "Ann") == [0, 19]
    assert align([("Bob", "B"), ("Ann", "A")], "Ann met Bob.") == (Span(0, 3, "A"), Span(8, 11, "B"))


@pytest.mark.parametrize(
    ("text", "mentions", "reason"),
    [
        ("Ann, Ann and Bob.", ["Bob", "Ann"], "'Ann' is out of order, and could stand in any of 2 places"),
        ("Ann met Bob.", ["Ann", "Ann"], "'Ann' is listed more often than it stands in the text, or overlaps another"),
        ("University of Paris", ["University of Paris", "Paris"], "'Paris' is listed more often"),
        ("New York City", ["New York", "York City"], "'York City' is listed more often"),
        (
            "Yesterday Barack Obama spoke.",
            ["Obama Barack"],
            "'Obama Barack' does not stand in the text; the closest passage is 'Barack Obama'",
        ),
        ("iran and Iranian", ["IRANIA"], "the closest passage is 'Iranian'"),
        ("US or us, Lee", ["Lee", "Us"], "'Us' is out of order, and could stand in any of 2 places"),
        ("Cafe\u0301 Rio", ["Cafe"], "'Cafe' does not stand in the text; the closest passage is 'Cafe\u0301'"),
        ("A quiet day.", ["Zürich"], "'Zürich' does not stand in the text; expected a copy, character for character"),
        ("", ["Ann"], "does not stand in the text"),
        ("Ann", [""], "the mention '' is empty"),
        (" ", [" "], "the mention ' ' is empty"),
    ],
)
def test_a_mention_that_cannot_be_placed_is_refused(text: str, mentions: list[str], reason: str) -> None:
    assert reason in refusal(text, *mentions)


def test_a_mention_of_any_length_keeps_the_message_short() -> None:
    assert len(refusal("word " * 50_000, "word " * 100_000 + "x")) < 500


_words = st.lists(st.sampled_from(["a", "ab", "b", "aba", "Ä", "北", "(b", "9"]), min_size=1, max_size=25)


@given(st.lists(st.sampled_from(["a", "ab", "b", "aba", "Ä", "9"]), min_size=1, max_size=25), st.data())
def test_words_that_are_marked_wherever_they_stand_are_found_again(words: list[str], data: st.DataObject) -> None:
    text = " ".join(words)
    marked = data.draw(st.sets(st.sampled_from(words)))
    spans = tuple(Span(*found.span(), "X") for found in re.finditer(r"\S+", text) if found[0] in marked)
    assert align([(text[span.start : span.end], "X") for span in spans], text) == spans


@given(_words, st.lists(st.tuples(st.integers(0, 60), st.integers(1, 5)), max_size=8))
def test_what_is_aligned_is_what_was_listed_each_at_a_place_of_its_own(
    words: list[str], cuts: list[tuple[int, int]]
) -> None:
    text = " ".join(words)
    mentions = [(text[start : start + length], "X") for start, length in cuts]
    try:
        spans = align(mentions, text)
    except ParseError:
        return
    assert Counter(text[span.start : span.end] for span in spans) == Counter(mention.strip() for mention, _ in mentions)
    assert all(before.end <= after.start for before, after in pairwise(spans))


@given(st.lists(st.sampled_from(["x", "y", "z"]), min_size=1, max_size=30), st.data())
def test_spans_that_a_reader_from_left_to_right_would_mark_are_found_again(
    words: list[str], data: st.DataObject
) -> None:
    text = " ".join(words)
    spans, end = [], 0
    for word in data.draw(st.lists(st.sampled_from(["x", "y", "z"]), max_size=10)):
        start = text.find(word, end)
        if start < 0:
            break
        end = start + 1
        spans.append(Span(start, end, word.upper()))
    assert align([(text[span.start : span.end], span.type) for span in spans], text) == tuple(spans)


@settings(max_examples=300)
@given(st.text(max_size=40), st.lists(st.text(max_size=4), max_size=6))
def test_whatever_is_listed_it_is_placed_or_refused(text: str, mentions: list[str]) -> None:
    try:
        spans = align([(mention, "X") for mention in mentions], text)
    except ParseError:
        return
    assert sorted(map(loose, (text[span.start : span.end] for span in spans))) == sorted(map(loose, mentions))


_names = st.lists(st.sampled_from(["Ann", "Lee", "Äsop", "Rome", "is", "in"]), min_size=1, max_size=12)


@given(_names, st.data())
def test_a_copy_that_drifted_in_case_or_white_space_is_placed_where_it_was_copied_from(
    words: list[str], data: st.DataObject
) -> None:
    space = data.draw(st.sampled_from([" ", "\n", "\u00a0"]))
    text = space.join(words)
    start = data.draw(st.integers(0, len(words) - 1))
    stop = data.draw(st.integers(start + 1, min(len(words), start + 3)))
    copied = words[start:stop]
    drifted = data.draw(st.sampled_from(["  ".join(copied), "\t".join(copied), space.join(copied).swapcase() + " "]))
    [span] = align([(drifted, "X")], text)
    assert loose(text[span.start : span.end]) == loose(drifted)
    assert span.start == text.find(space.join(copied))


@pytest.mark.parametrize(
    ("text", "mention", "passage"),
    [
        ("At Joe's Diner", "Joe’s Diner", "Joe's Diner"),
        ("BARACK  OBAMA spoke", "Barack Obama", "BARACK  OBAMA"),
        ("the Caf\u00e9 Noir", "Cafe\u0301 Noir", "Caf\u00e9 Noir"),
        ("the Cafe\u0301 Noir", "CAF\u00c9 NOIR", "Cafe\u0301 Noir"),
        ("Rhine–Ruhr", "Rhine-Ruhr", "Rhine–Ruhr"),
        ("a (b. c", "(B. C", "(b. c"),
    ],
)
def test_marks_accents_and_case_may_drift(text: str, mention: str, passage: str) -> None:
    [span] = align([(mention, "X")], text)
    assert text[span.start : span.end] == passage


def test_a_verbatim_place_goes_before_a_drifted_one() -> None:
    assert align([("us", "X")], "US, says us") == (Span(9, 11, "X"),)


@given(st.text(), st.text())
def test_the_closest_passage_stands_in_the_text(mention: str, text: str) -> None:
    passage = closest_passage(mention, text)
    assert passage is None or passage in text


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        ("a" * 2_048, ["a"] * 2_048),
        ("a" * 2_048, ["a" * length for length in range(1, 300)]),
        ("ab " * 700, ["ab"] * 701),
        ("word " * 40_000, ["wordy " * 20_000 + "x"]),
    ],
    ids=["letters", "runs", "words", "long"],
)
def test_hostile_lists_take_bounded_time(text: str, mentions: list[str]) -> None:
    began = time.process_time()
    with contextlib.suppress(ParseError):
        placed(text, *mentions)
    assert time.process_time() - began < 3
