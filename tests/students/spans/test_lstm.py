"""The LSTM that tags words: what it sees of them, and what it starts from."""

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

import torch
from safetensors.torch import load_file

from tests.students import small
from understudy.errors import ModelError
from understudy.progress import Silent
from understudy.students.lstm import LSTM
from understudy.students.spans.networks import CharacterCNN
from understudy.students.student import load
from understudy.training.mixtures import Mixture

TEXTS = [example.text for example in small.marked("test", 14, shift=90)]


def fitted(mixture: str = "union", **settings: Any) -> LSTM:
    student = LSTM(**{"embedding_size": 4, "hidden_size": 4, "epochs": 1, **settings})
    lesson = Mixture.named(mixture, small.marked("gold", 12), small.marked("annotated", 24, shift=4))
    student.fit(lesson, [], small.NER_TASK, Silent())
    return student


def known(student: LSTM, folder: Path) -> dict[str, list[str]]:
    student.save(folder)
    found: dict[str, list[str]] = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))
    return found


def test_how_long_other_words_are_makes_no_difference_to_a_spelling() -> None:
    spelling = CharacterCNN(10)
    alone = spelling(torch.tensor([[[3, 4, 5]]]))
    in_company = spelling(torch.tensor([[[3, 4, 5, 0, 0, 0, 0, 0, 0], [2, 3, 4, 5, 6, 7, 8, 9, 9]]]))
    torch.testing.assert_close(alone[0, 0], in_company[0, 0])


def test_it_knows_words_in_lower_case_and_characters_as_they_are(tmp_path: Path) -> None:
    vocabulary = known(fitted(), tmp_path / "model")
    assert {"ada", "rome", "went", "."} <= set(vocabulary["words"])
    assert {"A", "a", "."} <= set(vocabulary["characters"])


def test_it_knows_only_what_the_mixture_draws_and_what_is_read(tmp_path: Path) -> None:
    everything = known(fitted(), tmp_path / "union")["words"]
    assert set(known(fitted(max_length=1), tmp_path / "first")["words"]) < set(everything)


def test_it_starts_from_word_vectors(tmp_path: Path) -> None:
    file = tmp_path / "vectors.txt"
    file.write_text("rome 1 2 3\nnever 4 5 6\n")
    student = fitted(vectors=str(file), learning_rate=1e-9)
    words = known(student, tmp_path / "model")["words"]
    table = load_file(tmp_path / "model" / "model.safetensors")["embedding.weight"]
    assert table.shape == (len(words) + 2, 3)
    assert table[2 + words.index("rome")].tolist() == pytest.approx([1, 2, 3], abs=1e-3)
    file.unlink()
    assert load(tmp_path / "model").predict(TEXTS) == student.predict(TEXTS)


@pytest.mark.parametrize(
    "vocabulary",
    [
        {"words": ["a"]},
        {"words": ["a"], "characters": ["b"]},
        {"words": "a", "characters": "b"},
        {"words": ["a", "a"], "characters": ["b"]},
    ],
)
def test_another_vocabulary_is_a_model_error(tmp_path: Path, vocabulary: dict[str, object]) -> None:
    fitted().save(tmp_path / "model")
    (tmp_path / "model" / "vocabulary.json").write_text(json.dumps(vocabulary))
    with pytest.raises(ModelError):
        load(tmp_path / "model")
