from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from tests.students.small import STRANGE, modules_after
from tests.students.tiny_bert import write_tiny_bert
from understudy.errors import ModelError
from understudy.students import embedding
from understudy.students.embedding import embed


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_tiny_bert(tmp_path_factory.mktemp("models") / "tiny-bert"))


def test_texts_that_mean_alike_lie_near_each_other() -> None:
    match, game, bank, loan = embed(
        ["The striker scored twice.", "Two goals decided the match.", "The bank raised its rates.", "Loans cost more."]
    )
    assert match.shape == (384,)
    assert match @ game > max(match @ bank, match @ loan, game @ bank, game @ loan)
    assert bank @ loan > max(match @ bank, match @ loan, game @ bank, game @ loan)


def test_vectors_are_of_length_one_and_single_precision(tiny: str) -> None:
    found = embed(["goal match", "bank"], tiny)
    assert found.dtype == np.float32
    assert found.shape == (2, 32)
    assert np.linalg.norm(found, axis=1) == pytest.approx([1, 1], abs=1e-5)


def test_the_order_is_the_texts_and_a_text_has_one_vector_in_any_company(
    tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = [" ".join(["goal", "bank", "cell", "match"][: 1 + place % 4] * (1 + place % 7)) for place in range(50)]
    monkeypatch.setattr(embedding, "_TOKENISED", 16)
    monkeypatch.setattr(embedding, "_AT_ONCE", 5)
    together = embed(texts, tiny)
    alone = np.concatenate([embed([text], tiny) for text in texts])
    assert together == pytest.approx(alone, abs=1e-5)
    assert not np.allclose(together[0], together[1])


def test_strange_texts_have_vectors_too(tiny: str) -> None:
    found = embed(STRANGE, tiny)
    assert found.shape == (len(STRANGE), 32)
    assert np.isfinite(found).all()


def test_of_long_texts_the_beginning_is_read(tiny: str) -> None:
    beginning, longer, other = embed(["goal " * 38, "goal " * 38 + "bank " * 900, "bank " * 900], tiny)
    assert longer == pytest.approx(beginning, abs=1e-5)
    assert not np.allclose(other, beginning)


def test_no_texts_have_no_vectors(tiny: str) -> None:
    assert embed([], tiny).shape == (0, 32)


def test_the_weights_are_loaded_once(tiny: str, monkeypatch: pytest.MonkeyPatch) -> None:
    embed(["goal"], tiny)
    monkeypatch.setattr("understudy.students.pretrained.pretrained", None)
    assert embed(["match"], tiny).shape == (1, 32)


def test_a_model_that_cannot_be_had_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not a name on the hub"):
        embed(["goal"], str(tmp_path / "no" / "such" / "folder"))


def test_importing_it_imports_nothing_heavy() -> None:
    assert not {"numpy", "torch", "transformers"} & modules_after("import understudy.students.embedding")
