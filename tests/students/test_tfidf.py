import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file
from sklearn.feature_extraction.text import TfidfVectorizer

from understudy.errors import ModelError
from understudy.students.tfidf import TfIdf

TEXTS = ["The striker scored twice", "the bank raised its rates", "rates and banks", "Größe und Stürmer"]


def both() -> TfIdf:
    return TfIdf(words=2, chars=5, max_features=200)


def test_the_features_are_scikit_learns() -> None:
    found = TfIdf(words=1, chars=0, max_features=100).fit(TEXTS)
    expected = TfidfVectorizer(sublinear_tf=True).fit_transform(TEXTS)
    assert np.allclose(found.toarray(), expected.toarray())
    assert found.dtype == np.float32


def test_words_and_characters_stand_side_by_side_and_are_limited_each() -> None:
    features = TfIdf(words=1, chars=4, max_features=10)
    assert features.fit(TEXTS).shape == (4, 20)
    assert features.transform(["entirely unknown"]).shape == (1, 20)
    assert TfIdf(words=1, chars=0, max_features=10).fit(TEXTS).shape == (4, 10)


def test_a_text_without_a_known_word_is_all_zeros() -> None:
    features = both()
    features.fit(TEXTS)
    assert features.transform(["", " \n", "!?", "\x00"]).count_nonzero() == 0


def test_nothing_can_be_learned_from_texts_without_a_word() -> None:
    with pytest.raises(ModelError, match="no features can be learned from 2 texts"):
        both().fit(["!!", " "])
    with pytest.raises(ModelError):
        both().fit([])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(st.lists(st.text(), max_size=5))
def test_loaded_features_are_exactly_the_same(tmp_path: Path, texts: list[str]) -> None:
    features = both()
    features.fit(TEXTS)
    features.save(tmp_path)
    again = both().load(tmp_path)
    found, expected = again.transform([*TEXTS, *texts]), features.transform([*TEXTS, *texts])
    assert (found != expected).nnz == 0
    assert found.dtype == expected.dtype


def test_what_is_saved_can_be_read_by_a_person(tmp_path: Path) -> None:
    features = both()
    features.fit(TEXTS)
    features.save(tmp_path)
    words, _ = json.loads((tmp_path / "vocabulary.json").read_text(encoding="utf-8"))
    assert "größe" in words
    assert "raised its" in words
    assert sorted(file.name for file in tmp_path.iterdir()) == ["idf.safetensors", "vocabulary.json"]


def test_a_vocabulary_that_does_not_fit_the_weights_is_refused(tmp_path: Path) -> None:
    features = both()
    features.fit(TEXTS)
    features.save(tmp_path)
    weights = load_file(tmp_path / "idf.safetensors")
    with pytest.raises(ValueError, match="zip"):
        TfIdf(words=2, chars=0, max_features=200).load(tmp_path)
    save_file({**weights, "0": weights["0"][:-1]}, tmp_path / "idf.safetensors")
    with pytest.raises(ValueError, match="length"):
        both().load(tmp_path)
