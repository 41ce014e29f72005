"""The sentences that come closest to a summary."""

from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.students.extracts.oracle import membership, oracle
from understudy.tasks.rouge import rouge_n

SENTENCES = ["The weather was fine.", "Ada won the cup in Rome.", "Nobody was hurt.", "She had trained for a year."]
sentence = st.text(alphabet="abc ", max_size=12)


def quality(sentences: list[str], summary: str) -> float:
    """ROUGE-1 and ROUGE-2 of a text whose sentences are kept apart by a word that stands nowhere else."""
    unigrams = rouge_n(summary.split(), " ".join(sentences).split(), 1).f1
    found = [pair for words in map(str.split, sentences) for pair in pairwise(words)]
    wanted = list(pairwise(summary.split()))
    shared = sum(min(found.count(pair), wanted.count(pair)) for pair in set(found))
    return unigrams + 2 * shared / max(len(found) + len(wanted), 1)


def test_the_most_telling_sentence_comes_first() -> None:
    assert oracle(SENTENCES, "Ada won in Rome. She trained for a year.", most=3) == [3, 1]
    assert oracle(SENTENCES, "Ada won in Rome. She trained for a year.", most=1) == [3]


def test_stems_and_scripts_are_those_of_rouge() -> None:
    assert oracle(["Banks lend.", "A bank lends money."], "the bank lending", most=1) == [0]
    assert oracle(["天气很好。", "比赛结束了。"], "比赛已经结束", most=2) == [1]


def test_where_nothing_is_shared_nothing_is_taken() -> None:
    assert oracle(SENTENCES, "Something else entirely", most=3) == []
    assert oracle([], "summary", most=3) == oracle(SENTENCES, "", most=3) == oracle(SENTENCES, "Ada", most=0) == []


def test_a_sentence_said_twice_is_taken_once() -> None:
    assert oracle(["Ada won.", "Ada won.", "It rained."], "Ada won. It rained.", most=3) == [0, 2]


@given(st.lists(sentence, max_size=5), sentence)
def test_every_sentence_taken_raises_the_score_the_most(sentences: list[str], summary: str) -> None:
    taken = oracle(sentences, summary, most=5)
    for count in range(1, len(taken) + 1):
        now, before = ([sentences[place] for place in taken[:end]] for end in (count, count - 1))
        others = [quality([*before, other], summary) for place, other in enumerate(sentences) if place not in taken]
        assert quality(now, summary) > quality(before, summary)
        assert quality(now, summary) >= max(others, default=0) - 1e-9
    left = [sentences[place] for place in taken]
    more = [quality([*left, other], summary) for place, other in enumerate(sentences) if place not in taken]
    assert len(taken) == 5 or max(more, default=0) <= quality(left, summary) + 1e-9


def test_no_pair_of_sentences_is_better_here() -> None:
    summary = "Ada won in Rome. She trained for a year."
    best = max(combinations(SENTENCES, 2), key=lambda pair: quality([text.lower() for text in pair], summary.lower()))
    assert best == (SENTENCES[1], SENTENCES[3])


def test_membership_goes_through_the_documents_in_turn() -> None:
    found = membership([SENTENCES[:2], [], SENTENCES[2:]], ["Ada won.", "x", "A year"], 2)
    assert found.tolist() == [False, True, False, True]
    assert membership([], [], 2).shape == (0,)


@pytest.mark.parametrize("text", ["half a \ud83d", "\x00", "🙂" * 50])
def test_strange_characters_do_no_harm(text: str) -> None:
    assert oracle([text], text, most=1) in ([], [0])
