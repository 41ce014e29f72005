"""What extractors see of a sentence."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.students.small import STRANGE
from understudy.errors import ModelError
from understudy.students.extracts.documents import document
from understudy.students.extracts.features import SentenceFeatures
from understudy.students.tfidf import TfIdf

TEXTS = [
    'Ada won the cup in Rome. It was her 3rd. "Never again," said Bert? Ada won the cup.',
    "Banks fell on Monday. Shares of banks fell too.",
]
LEFT, LEAD_LIKENESS, SAID_BEFORE = 4, 14, 15


@pytest.fixture(scope="module")
def features() -> SentenceFeatures:
    learned = SentenceFeatures(TfIdf(words=1, chars=0, max_features=100))
    learned.learn([document(text) for text in TEXTS])
    return learned


def test_every_sentence_has_a_row_of_numbers(features: SentenceFeatures) -> None:
    found = features.of([document(text) for text in TEXTS])
    assert found.shape == (6, SentenceFeatures.size)
    assert found.dtype == np.float32


def test_the_place_is_counted_within_the_document(features: SentenceFeatures) -> None:
    found = features.of([document(text) for text in TEXTS])
    assert found[:, 0].tolist() == [1, 0, 0, 0, 1, 0]
    assert found[:, LEFT].tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1, 0, 1])


def test_what_was_said_before_is_known(features: SentenceFeatures) -> None:
    first, *_, last = features.of([document(TEXTS[0])])
    assert first[SAID_BEFORE] == 0
    assert last[SAID_BEFORE] == last[LEAD_LIKENESS] > 0.8


def test_what_stands_in_a_sentence_is_seen(features: SentenceFeatures) -> None:
    capitals, digits, quotes, pronoun, cue, question, content, frequent = features.of([document(TEXTS[0])])[:, -8:].T
    assert (capitals > 0).tolist() == [True, False, True, False]
    assert (digits > 0).tolist() == [False, True, False, False]
    assert quotes.tolist() == [0, 0, 1, 0]
    assert pronoun.tolist() == [0, 1, 0, 0]
    assert (cue > 0).tolist() == [False, False, True, False]
    assert question.tolist() == [0, 0, 1, 0]
    assert content[2] > content[1] == 0
    assert frequent[2] > frequent[1] == 0


def test_a_document_does_not_depend_on_its_company(features: SentenceFeatures) -> None:
    together = features.of([document(TEXTS[0]), [], document(TEXTS[1])])
    alone = [features.of([document(text)]) for text in TEXTS]
    assert np.allclose(together, np.concatenate(alone), atol=1e-6)


def test_many_documents_are_done_in_turn(features: SentenceFeatures) -> None:
    assert len(features.of([document(TEXTS[1])] * 600)) == 1200


def test_nothing_has_no_rows(features: SentenceFeatures) -> None:
    assert features.of([]).shape == features.of([[]]).shape == (0, SentenceFeatures.size)


@pytest.mark.parametrize("text", STRANGE)
def test_strange_texts_have_numbers_too(features: SentenceFeatures, text: str) -> None:
    assert np.isfinite(features.of([document(text)])).all()


@given(st.lists(st.text(alphabet="aA.?1\"' \n!。天", max_size=30), max_size=4))
def test_every_feature_is_a_number_of_moderate_size(features: SentenceFeatures, texts: list[str]) -> None:
    found = features.of([document(text) for text in texts])
    assert np.isfinite(found).all()
    assert np.abs(found).max(initial=0) <= 30


def test_texts_without_a_word_teach_nothing() -> None:
    with pytest.raises(ModelError, match="no features can be learned"):
        SentenceFeatures(TfIdf(words=1, chars=0, max_features=9)).learn([["?"], []])
