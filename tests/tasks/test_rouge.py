import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nltk.stem.porter import PorterStemmer
from rouge_score.rouge_scorer import RougeScorer
from rouge_score.tokenize import tokenize

from tests.newswire import NEWSWIRE, rows
from understudy.tasks.rouge import Score, cutter, rouge_l, rouge_lsum, rouge_n, stems

PEER = RougeScorer(["rouge1", "rouge2", "rougeL", "rougeLsum"])

_few_words = st.lists(st.sampled_from(["a ", "b ", "c-", "the ", "The\n", "\n", "2", ". ", "é"]), max_size=30).map(
    "".join
)
_texts = _few_words | st.text(st.characters(max_codepoint=0x2FF))


def ours(reference: str, answer: str) -> list[Score]:
    cut = cutter(reference)
    wanted, found = cut(reference), cut(answer)
    return [
        rouge_n(wanted, found, 1),
        rouge_n(wanted, found, 2),
        rouge_l(wanted, found),
        rouge_lsum(map(cut, reference.split("\n")), map(cut, answer.split("\n"))),
    ]


def assert_equal(reference: str, answer: str) -> None:
    theirs = PEER.score(reference, answer).values()
    for our, their in zip(ours(reference, answer), theirs, strict=True):
        assert our == pytest.approx(tuple(their))


@given(_few_words, _few_words)
def test_every_score_is_rouge_scores(reference: str, answer: str) -> None:
    assert_equal("some latin words " + reference, answer)


@given(_texts.map(lambda text: f"{'latin ' * len(text)}{text}"), _texts)
def test_every_score_of_any_western_text_is_rouge_scores(reference: str, answer: str) -> None:
    assert_equal(reference, answer)


def test_the_scores_of_real_summaries_are_rouge_scores() -> None:
    for row in rows(NEWSWIRE / "test.jsonl")[:40]:
        lines = row["highlights"].replace(". ", ".\n")
        assert_equal(lines, row["text"])
        assert_equal(row["text"], lines)


def test_a_worked_example() -> None:
    one, two, longest, _ = ours("police killed the gunman", "the gunman kill police")
    assert one == pytest.approx((3 / 4, 3 / 4, 3 / 4))
    assert two == pytest.approx((1 / 3, 1 / 3, 1 / 3))
    assert longest == pytest.approx((2 / 4, 2 / 4, 2 / 4))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It's 5 o'clock, Zoë_X!", ["it", "s", "5", "o", "clock", "zo", "x"]),
        ("Ο Όμηρος, 12 έπη", ["ο", "όμηρος", "12", "έπη"]),
        ("北京 2024 年", ["北", "京", "2024", "年"]),
        ("東京タワーNHK", ["東", "京", "タ", "ワ", "ー", "nhk"]),
        ("हिन्दी में समाचार।", ["हिन्दी", "में", "समाचार"]),
        ("서울에서 왔다", ["서울에서", "왔다"]),
        ("...", []),
        ("", []),
    ],
)
def test_words_are_cut_in_the_way_that_suits_the_script(text: str, words: list[str]) -> None:
    assert cutter(text)(text) == words


@pytest.mark.parametrize("reference", ["Η γάτα κάθεται", "猫坐在垫子上", "кошка сидит"])
def test_a_text_in_another_script_is_compared_word_by_word(reference: str) -> None:
    assert [score.f1 for score in ours(reference, reference)] == [1.0] * 4
    assert [score.f1 for score in ours(reference, "A cat sits")] == [0.0] * 4


@given(st.lists(st.text("abcdeginorsty0", min_size=1, max_size=12)))
def test_stems_are_those_of_rouge_score(words: list[str]) -> None:
    assert stems(words) == tokenize(" ".join(words), PorterStemmer())


def test_words_of_three_letters_and_what_is_no_english_word_have_no_stem() -> None:
    kept = ["was", "größen", "τρέχει", "y" * 5_000]
    assert stems(kept) == kept


@given(st.lists(st.sampled_from(["a b", "b a", "a", "c a b", "c", "d c"]), max_size=9), st.integers(0, 9))
def test_lines_that_come_again_or_share_nothing_change_no_score(lines: list[str], cut: int) -> None:
    assert_equal("\n".join(lines[:cut]), "\n".join(lines[cut:]))


def test_as_many_different_lines_as_a_summary_ever_has_are_all_looked_at() -> None:
    lines = [f"the {place} a {place % 7} of b{place % 3} the" for place in range(90)]
    assert_equal("\n".join(lines), "\n".join(reversed(lines)))


@pytest.mark.parametrize(
    ("ours_", "theirs"), [("a b x{}", "b a y{}"), ("the w{}", "the w{}"), ("one line", "one line")]
)
def test_very_many_lines_take_no_time_that_grows_with_their_square(ours_: str, theirs: str) -> None:
    reference, answer = ([form.format(n).split() for n in range(4_000)] for form in (ours_, theirs))
    began = time.process_time()
    assert rouge_lsum(reference, answer).f1 > 0.3
    assert time.process_time() - began < 5


def test_long_texts_take_bounded_time() -> None:
    began = time.process_time()
    text = "word and another\n" * 4_000
    assert all(score.f1 > 0 for score in ours("word and word\n" * 60, text))
    assert time.process_time() - began < 5
