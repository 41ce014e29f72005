import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.newswire import NEWSWIRE
from tests.newswire import rows as newswire_rows
from understudy.data.clean import shingles as module
from understudy.data.clean.shingles import WIDTH, MinHash, jaccard, shingles
from understudy.data.load import folded


def windows(text: str) -> set[str]:
    padded = folded(text).ljust(WIDTH)
    return {padded[start : start + WIDTH] for start in range(len(padded) - WIDTH + 1)}


@given(st.text(), st.text())
def test_similarity_is_that_of_the_sets_of_windows(one: str, other: str) -> None:
    expected = len(windows(one) & windows(other)) / len(windows(one) | windows(other))
    assert jaccard(shingles(one), shingles(other)) == pytest.approx(expected)


@given(st.text())
def test_case_and_white_space_make_no_difference(text: str) -> None:
    assert np.array_equal(shingles(text), shingles(f"  {folded(text)}\n"))


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8, 0.9, 0.99, 1.0])
def test_the_recall_at_the_threshold_is_what_is_said(threshold: float) -> None:
    minhash = MinHash(threshold)
    assert minhash._recall(minhash._rows) >= 0.97
    assert minhash._rows == 96 or minhash._recall(minhash._rows + 1) < 0.97


def test_texts_at_the_threshold_nearly_always_share_a_band_and_others_seldom() -> None:
    rng, minhash = np.random.default_rng(0), MinHash(0.8)
    shared = {}
    for similarity in (0.8, 0.3):
        each = round(900 * (1 + similarity) / 2)
        pairs = [(hashes[:each], hashes[-each:]) for hashes in rng.integers(2**32, size=(300, 900), dtype=np.uint32)]
        assert jaccard(*map(np.unique, pairs[0])) == pytest.approx(similarity, abs=0.01)
        shared[similarity] = sum(bool({*minhash.bands(one)} & {*minhash.bands(other)}) for one, other in pairs) / 300
    assert shared[0.8] > 0.95
    assert shared[0.3] < 0.05


def test_a_long_text_has_the_same_signature_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = shingles(" ".join(str(row["text"]) for row in newswire_rows(NEWSWIRE / "gold.jsonl")[:5]))
    whole = MinHash(0.8).bands(hashes)
    monkeypatch.setattr(module, "_AT_A_TIME", 100)
    assert MinHash(0.8).bands(hashes) == whole
