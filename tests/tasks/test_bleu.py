import numpy as np
import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st

from tests.newswire import NEWSWIRE, rows
from understudy.tasks.bleu import BLEU_COUNTS, bleu, bleu_counts, chrf, chrf_counts

_pieces = [
    "a",
    "the cat ",
    "sat ",
    "on ",
    "a mat",
    ".",
    ",",
    "1",
    "2,5 ",
    "-",
    "'",
    '"',
    "&lt;",
    "&amp;",
    "\n",
    " ",
    "é",
    "北",
]
_texts = st.lists(st.sampled_from(_pieces), max_size=20).map("".join) | st.text(max_size=30)
_corpora = st.lists(st.tuples(_texts, _texts) | _texts.map(lambda text: (text, text)), min_size=1, max_size=5)

Pairs = list[tuple[str, str]]


def assert_equal(pairs: Pairs) -> None:
    references, answers = [[reference for reference, _ in pairs]], [answer for _, answer in pairs]
    bleu_sums, chrf_sums = (
        np.sum([count(reference, answer) for reference, answer in pairs], axis=0, dtype=float)
        for count in (bleu_counts, chrf_counts)
    )
    assert len(bleu_sums) == BLEU_COUNTS
    assert 100 * bleu(bleu_sums) == pytest.approx(sacrebleu.corpus_bleu(answers, references).score, abs=1e-9)
    assert 100 * chrf(chrf_sums) == pytest.approx(sacrebleu.corpus_chrf(answers, references).score, abs=1e-9)


@given(_corpora)
def test_both_scores_are_sacrebleus(pairs: Pairs) -> None:
    assert_equal(pairs)


def test_the_scores_of_real_texts_are_sacrebleus() -> None:
    assert_equal([(row["highlights"], row["text"]) for row in rows(NEWSWIRE / "test.jsonl")])
    assert_equal([(row["text"], row["highlights"]) for row in rows(NEWSWIRE / "gold.jsonl")])


def test_sums_of_many_resamples_are_scored_at_once() -> None:
    pairs = [("the cat sat on the mat", "the cat sat on a mat"), ("a dog", "the dog barked loudly at it")]
    for count, score in ((bleu_counts, bleu), (chrf_counts, chrf)):
        items = np.array([count(reference, answer) for reference, answer in pairs], dtype=float)
        weights = np.array([[1, 1], [2, 0], [0, 2], [0, 0]], dtype=float)
        found = score(weights @ items)
        assert found.tolist() == pytest.approx([float(score(row)) for row in weights @ items])
        assert found[3] == 0
