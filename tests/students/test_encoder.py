import json
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from safetensors.torch import load_file, save_file

from tests.students import small
from tests.students.tiny_bert import write_tiny_bert
from understudy.errors import MissingExtra, ModelError
from understudy.progress import Silent
from understudy.students.encoder import Encoder
from understudy.students.student import load


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bert(tmp_path_factory.mktemp("hub") / "tiny-bert")


def unfitted(tiny: Path, **settings: float) -> Encoder:
    usual = {"epochs": 4, "batch_size": 8, "learning_rate": 1e-3, "frozen_layers": 1}
    return Encoder(model=str(tiny), **{**usual, **settings})  # type: ignore[arg-type]


def fitted(tiny: Path, **settings: float) -> Encoder:
    student = unfitted(tiny, **settings)
    student.fit(small.mixture(), small.VALIDATION, small.TASK, Silent())
    return student


@pytest.fixture(scope="module")
def student(tiny: Path) -> Encoder:
    return fitted(tiny)


@pytest.fixture
def folder(student: Encoder, tmp_path: Path) -> Path:
    student.save(tmp_path / "model")
    return tmp_path / "model"


def test_it_learns(student: Encoder) -> None:
    predictions = student.predict(small.TEXTS)
    assert small.right(predictions) >= 0.9
    assert all(1 / 3 <= (prediction.confidence or 0) <= 1 for prediction in predictions)


def test_the_bundled_encoder_learns_from_a_glance() -> None:
    student = Encoder(epochs=0.2, batch_size=4)
    student.check_available()
    fit = student.fit(small.mixture(), [], small.TASK, Silent())
    assert (fit.steps, fit.history) == (3, [])
    assert small.right(student.predict(small.TEXTS)) == 1.0
    assert student.count_parameters() == 22_713_216 + 3 * 385


def test_fit_says_what_it_did(tiny: Path) -> None:
    fit = unfitted(tiny, epochs=2).fit(small.mixture("gold"), small.VALIDATION, small.TASK, Silent())
    assert fit.steps == small.mixture("gold").steps(2, 8) == 15
    assert [round(u, 2) for u, _ in fit.history] == [0.0, 0.27, 0.53, 0.73, 1.0]


def test_the_same_seed_gives_the_same_student(tiny: Path, student: Encoder) -> None:
    assert fitted(tiny).predict(small.TEXTS) == student.predict(small.TEXTS)
    assert fitted(tiny, seed=1).predict(small.TEXTS) != student.predict(small.TEXTS)


def test_loaded_it_predicts_the_same_here_and_elsewhere(student: Encoder, folder: Path) -> None:
    assert load(folder).predict(small.TEXTS) == student.predict(small.TEXTS)
    assert small.predicted_elsewhere(folder) == student.predict(small.TEXTS)


def test_loading_needs_nothing_but_the_folder(tiny: Path, tmp_path: Path) -> None:
    moved = tmp_path / "tiny-bert"
    write_tiny_bert(moved)
    student = fitted(moved, epochs=1)
    student.save(tmp_path / "model")
    for file in moved.iterdir():
        file.unlink()
    moved.rmdir()
    assert load(tmp_path / "model").predict(small.TEXTS) == student.predict(small.TEXTS)


def test_weights_of_half_precision_are_made_whole(tmp_path: Path) -> None:
    student = fitted(write_tiny_bert(tmp_path / "tiny-bert", half=True), epochs=1)
    student.save(tmp_path / "model")
    assert load(tmp_path / "model").predict(small.TEXTS) == student.predict(small.TEXTS)


def test_frozen_layers_stay_and_the_others_learn(tiny: Path, tmp_path: Path) -> None:
    student = unfitted(tiny, epochs=1)
    student.fit(small.mixture(), [], small.TASK, Silent())  # with validation, the start might be the best and be kept
    student.save(tmp_path / "model")
    before, after = load_file(tiny / "model.safetensors"), load_file(tmp_path / "model" / "model.safetensors")
    moved = {name for name, tensor in before.items() if not tensor.equal(after[f"backbone.{name}"])}
    assert moved
    assert all(name.startswith("encoder.layer.1.") for name in moved)


def test_nothing_is_frozen_when_asked(tiny: Path, tmp_path: Path) -> None:
    student = fitted(tiny, frozen_layers=-1, epochs=1)
    student.save(tmp_path / "model")
    before, after = load_file(tiny / "model.safetensors"), load_file(tmp_path / "model" / "model.safetensors")
    assert not before["embeddings.word_embeddings.weight"].equal(after["backbone.embeddings.word_embeddings.weight"])


def test_predictions_come_in_order_and_do_not_depend_on_company(student: Encoder) -> None:
    together = student.predict(small.TEXTS)
    for text, prediction in zip(small.TEXTS, together, strict=True):
        alone = student.predict([text])[0]
        assert alone.target == prediction.target
        assert alone.confidence == pytest.approx(prediction.confidence, abs=1e-5)


def test_strange_texts_are_answered(student: Encoder) -> None:
    predictions = student.predict([*small.STRANGE, small.TEXTS[0]])
    assert len(predictions) == len(small.STRANGE) + 1
    assert all(prediction.target in small.TASK.labels for prediction in predictions)
    assert student.predict([]) == []


def test_a_text_is_read_no_further_than_the_backbone_can(tiny: Path) -> None:
    student = fitted(tiny, max_length=1000, epochs=0.2)
    assert student.predict(["goal " * 500])[0].target in small.TASK.labels


def test_a_folder_without_pickles(folder: Path, student: Encoder) -> None:
    saved = load_file(folder / "model.safetensors")
    assert student.count_parameters() == sum(tensor.numel() for tensor in saved.values())
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["config.json", "model.json", "model.safetensors", "tokenizer.json"]


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def without_a_tensor(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors.pop("head.weight")
    save_file(tensors, folder / "model.safetensors")


def without_a_limit(folder: Path) -> None:
    edit(folder / "tokenizer.json", truncation=None)


def more_words_than_vectors(folder: Path) -> None:
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"]["surplus"] = 10_000
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))


def longer_than_positions(folder: Path) -> None:
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["truncation"]["max_length"] = 10_000
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))


@pytest.mark.parametrize(
    "harm",
    [
        without_a_tensor,
        without_a_limit,
        more_words_than_vectors,
        longer_than_positions,
        lambda folder: edit(folder / "config.json", vocab_size=10**12),
        lambda folder: edit(folder / "config.json", num_hidden_layers=10**9),
        lambda folder: edit(folder / "config.json", num_hidden_layers=1),
        lambda folder: edit(folder / "config.json", hidden_size=18),
        lambda folder: edit(folder / "config.json", model_type="../../etc/passwd"),
        lambda folder: edit(folder / "config.json", model_type="x", auto_map={"AutoConfig": "evil.Config"}),
        lambda folder: (folder / "config.json").write_text("{"),
        lambda folder: (folder / "config.json").unlink(),
        lambda folder: (folder / "tokenizer.json").write_text("{}"),
        lambda folder: (folder / "tokenizer.json").unlink(),
        lambda folder: (folder / "model.safetensors").write_bytes(b"\x80\x04garbage"),
        lambda folder: (folder / "model.safetensors").unlink(),
    ],
)
def test_a_broken_folder_is_a_model_error(folder: Path, harm: Callable[[Path], object]) -> None:
    harm(folder)
    with pytest.raises(ModelError):
        load(folder)


def test_half_a_character_is_read_as_an_unknown_one(student: Encoder) -> None:
    assert student.predict(["goal \ud83d match"]) == student.predict(["goal \ufffd match"])


def test_its_start_is_part_of_its_fingerprint(tiny: Path) -> None:
    assert "model.safetensors" in unfitted(tiny).fingerprint()


def test_without_its_packages_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tiny: Path) -> None:
    unfitted(tiny).check_available()
    monkeypatch.setitem(__import__("sys").modules, "tokenizers", None)
    with pytest.raises(MissingExtra, match=r"understudy\[encoder\]"):
        unfitted(tiny).check_available()


def test_its_settings_can_be_looked_at_without_torch() -> None:
    modules = small.modules_after("from understudy.students.encoder import Encoder; Encoder()")
    assert not modules & {"torch", "numpy", "transformers", "tokenizers"}
