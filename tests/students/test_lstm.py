import json
import resource
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

pytest.importorskip("torch")

from safetensors.torch import load_file, save_file

from tests.students import small
from understudy.errors import MissingExtra, ModelError
from understudy.example import Example, Prediction
from understudy.progress import Silent
from understudy.students.lstm import LSTM
from understudy.students.student import load
from understudy.training.mixtures import Mixture


def fitted(mixture: Mixture | None = None, validation: Sequence[Example] = small.VALIDATION, **settings: float) -> LSTM:
    student = LSTM(**{"embedding_size": 16, "hidden_size": 8, "epochs": 12, "batch_size": 8, **settings})  # type: ignore[arg-type]
    student.fit(mixture or small.mixture(), validation, small.TASK, Silent())
    return student


@pytest.fixture(scope="module")
def student() -> LSTM:
    return fitted()


@pytest.fixture
def folder(student: LSTM, tmp_path: Path) -> Path:
    student.save(tmp_path / "model")
    return tmp_path / "model"


def test_it_learns(student: LSTM) -> None:
    assert small.right(student.predict(small.TEXTS)) == 1.0


def test_confidences_are_probabilities(student: LSTM) -> None:
    confidences = [prediction.confidence or 0.0 for prediction in student.predict(small.TEXTS)]
    assert all(1 / 3 <= confidence <= 1 for confidence in confidences)
    assert sum(confidences) / len(confidences) > 0.6


def test_fit_says_what_it_did() -> None:
    student = LSTM(embedding_size=4, hidden_size=4, epochs=2, batch_size=8)
    fit = student.fit(small.mixture("gold"), small.VALIDATION, small.TASK, Silent())
    assert fit.steps == small.mixture("gold").steps(2, 8) == 15
    assert [round(u, 2) for u, _ in fit.history] == [0.27, 0.53, 0.73, 1.0]
    assert all(0 <= score <= 1 for _, score in fit.history)


def test_it_learns_without_validation() -> None:
    student = LSTM(embedding_size=16, hidden_size=8, epochs=12, batch_size=8)
    assert student.fit(small.mixture(), [], small.TASK, Silent()).history == []
    assert small.right(student.predict(small.TEXTS)) == 1.0


def test_the_same_seed_gives_the_same_student(student: LSTM) -> None:
    assert fitted().predict(small.TEXTS) == student.predict(small.TEXTS)
    assert fitted(seed=1).predict(small.TEXTS) != student.predict(small.TEXTS)


def test_loaded_it_predicts_the_same_here_and_elsewhere(student: LSTM, folder: Path) -> None:
    assert load(folder).predict(small.TEXTS) == student.predict(small.TEXTS)
    assert small.predicted_elsewhere(folder) == student.predict(small.TEXTS)


def test_predictions_come_in_order_and_do_not_depend_on_company(student: LSTM) -> None:
    together = student.predict(small.TEXTS)
    for text, prediction in zip(small.TEXTS, together, strict=True):
        alone = student.predict([text])[0]
        assert alone.target == prediction.target
        assert alone.confidence == pytest.approx(prediction.confidence, abs=1e-5)


def test_strange_texts_are_answered(student: LSTM) -> None:
    predictions = student.predict([*small.STRANGE, small.TEXTS[0]])
    assert len(predictions) == len(small.STRANGE) + 1
    assert all(prediction.target in small.TASK.labels for prediction in predictions)
    assert student.predict([]) == []


def test_its_words_come_from_what_the_mixture_draws(student: LSTM) -> None:
    gold = [Example(id="g", text="goal", target="sport", source="gold")]
    distilled = [Example(id="d", text="bank", target="money", source="annotated")]
    student = fitted(Mixture.named("gold", gold, distilled), epochs=1)
    assert student.count_parameters() < fitted(Mixture.named("union", gold, distilled), epochs=1).count_parameters()


def test_soft_labels_are_learned_from() -> None:
    soft = [
        Example(id=str(i), text="goal", target="sport", soft={"sport": 0.6, "money": 0.4}, source="annotated")
        for i in range(30)
    ]
    student = fitted(Mixture.named("distilled", [], soft), validation=[], epochs=30, word_dropout=0.0)
    assert student.predict(["goal"])[0].confidence == pytest.approx(0.6, abs=0.1)


def test_weightless_examples_are_not_learned_from() -> None:
    told = small.examples("annotated", 48)
    misled = [Example(id=f"w{e.id}", text=e.text, target="money", weight=0.0, source="annotated") for e in told]
    student = fitted(Mixture.named("distilled", [], [*told, *misled]))
    assert small.right(student.predict(small.TEXTS)) > 0.9


def test_parameters_are_counted(folder: Path, student: LSTM) -> None:
    saved = load_file(folder / "model.safetensors")
    assert student.count_parameters() == sum(tensor.numel() for tensor in saved.values())
    assert sorted(path.name for path in folder.iterdir()) == ["model.json", "model.safetensors", "vocabulary.json"]


def without_a_tensor(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors.pop("head.weight")
    save_file(tensors, folder / "model.safetensors")


def other_words(folder: Path) -> None:
    (folder / "vocabulary.json").write_text(json.dumps(["goal", "match"]))


def huge(folder: Path) -> None:
    manifest = json.loads((folder / "model.json").read_text())
    manifest["student"]["settings"]["hidden_size"] = 10**12
    (folder / "model.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    "harm",
    [
        without_a_tensor,
        other_words,
        huge,
        lambda folder: (folder / "model.safetensors").write_bytes(b"\x80\x04garbage"),
        lambda folder: (folder / "model.safetensors").unlink(),
        lambda folder: (folder / "vocabulary.json").write_text('{"goal": 2}'),
        lambda folder: (folder / "vocabulary.json").write_text('["goal", "goal"]'),
        lambda folder: (folder / "vocabulary.json").write_text("[" * 100_000),
    ],
)
def test_a_broken_folder_is_a_model_error(folder: Path, harm: Callable[[Path], object]) -> None:
    harm(folder)
    with pytest.raises(ModelError):
        load(folder)


def test_a_manifest_cannot_ask_for_memory(folder: Path) -> None:
    manifest = json.loads((folder / "model.json").read_text())
    manifest["student"]["settings"].update(hidden_size=4_000, embedding_size=4_000)
    (folder / "model.json").write_text(json.dumps(manifest))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ModelError):
        load(folder)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kB, of the GB asked for


def test_weights_of_half_precision_are_made_whole(folder: Path) -> None:
    path = folder / "model.safetensors"
    save_file({name: tensor.half() for name, tensor in load_file(path).items()}, path)
    assert small.right(load(folder).predict(small.TEXTS)) == 1.0


def test_without_torch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    LSTM().check_available()
    monkeypatch.setitem(__import__("sys").modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"understudy\[torch\]"):
        LSTM().check_available()


def test_its_settings_can_be_looked_at_without_torch() -> None:
    modules = small.modules_after("from understudy.students.lstm import LSTM; LSTM()")
    assert not modules & {"torch", "numpy", "transformers", "tokenizers"}


def test_a_prediction_is_a_plain_one(student: LSTM) -> None:
    prediction = student.predict(["goal match"])[0]
    assert prediction == Prediction("sport", prediction.confidence)
    assert type(prediction.confidence) is float
