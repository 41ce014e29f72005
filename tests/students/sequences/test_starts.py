import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from safetensors.torch import load_file

from tests.students import small
from tests.students.sequences.tiny import FROM_HUB, FROM_SCRATCH, write_tiny
from tests.students.tiny_bert import write_tiny_bert
from understudy import registry
from understudy.errors import ModelError
from understudy.progress import Silent
from understudy.students import pretrained
from understudy.students.sequences.starts import warm_started
from understudy.students.student import Student, load

TEXTS = small.TEXTS[:4]
families = pytest.mark.parametrize("family", ["t5", "bart"])


def student(family: str, **settings: Any) -> Student:
    made: Student = registry.build("student", family, settings)
    return made


def fitted(family: str, **settings: Any) -> Student:
    made = student(family, **settings)
    made.fit(small.mixture(), [], small.TASK, Silent())
    return made


@families
def test_a_local_folder_is_where_it_starts(family: str, tmp_path: Path) -> None:
    tiny = write_tiny(family, tmp_path / "tiny")
    made = student(family, **{**FROM_HUB, "model": str(tiny), "learning_rate": 1e-30, "epochs": 0.1})
    made.check_available()
    assert "model.safetensors" in made.fingerprint()  # type: ignore[attr-defined]
    made.fit(small.mixture(), [], small.TASK, Silent())
    made.save(tmp_path / "model")
    before, after = load_file(tiny / "model.safetensors"), load_file(tmp_path / "model" / "model.safetensors")
    assert all(after[f"backbone.{name}"].allclose(tensor) for name, tensor in before.items() if "shared" in name)
    tiny.rename(tmp_path / "gone")
    assert load(tmp_path / "model").predict(TEXTS) == made.predict(TEXTS)


@families
def test_another_family_is_refused_before_anything_is_spent(family: str, tmp_path: Path) -> None:
    other = write_tiny("bart" if family == "t5" else "t5", tmp_path / "tiny")
    for folder in (other, write_tiny_bert(tmp_path / "bert")):
        with pytest.raises(ModelError, match=f"not a {family.upper()} model; use model: bundled .or scratch.") as error:
            student(family, model=str(folder)).check_available()
        assert "\n" not in str(error.value)


@families
def test_weights_that_cannot_be_had_name_the_ways_out(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> str:
        raise ConnectionError("no route to host\nand a second line")

    monkeypatch.setattr("huggingface_hub.snapshot_download", unreachable)
    with pytest.raises(ModelError, match=r"no route to host.*model: bundled \(or scratch\).*local folder"):
        student(family).check_available()


@families
def test_from_scratch_needs_no_weights_but_sizes_that_go_together(family: str) -> None:
    student(family, model="scratch").check_available()
    assert student(family, model="scratch").fingerprint() == {}  # type: ignore[attr-defined]
    with pytest.raises(ModelError, match="3 heads and a d_model of 128"):
        student(family, model="scratch", scratch={"heads": 3}).check_available()


@families
def test_sizes_for_a_start_that_has_its_own_are_refused(family: str) -> None:
    for model in ({}, {"model": "bundled"}):
        with pytest.raises(ModelError, match=r"scratch: .*use model: scratch"):
            student(family, scratch={"d_model": 64}, **model).check_available()


@families
def test_shared_weights_are_saved_once(family: str, tmp_path: Path) -> None:
    made = fitted(family, **FROM_SCRATCH)
    made.save(tmp_path / "model")
    saved = load_file(tmp_path / "model" / "model.safetensors")
    counted = sum(tensor.numel() for name, tensor in saved.items() if not name.endswith("final_logits_bias"))
    assert made.count_parameters() == counted
    names = sorted(file.name for file in (tmp_path / "model").iterdir())
    assert names == ["config.json", "labels.json", "model.json", "model.safetensors", "tokenizer.json"]


def test_an_encoder_starts_both_halves_with_one_vocabulary(tmp_path: Path) -> None:
    bert = write_tiny_bert(tmp_path / "bert")
    source = load_file(bert / "model.safetensors")
    backbone = warm_started(bert).backbone
    for half in (backbone.encoder, backbone.decoder.bert):
        for name in ("embeddings.position_embeddings.weight", "encoder.layer.1.attention.self.query.weight"):
            assert half.state_dict()[name].equal(source[name])
    vectors = backbone.encoder.get_input_embeddings().weight
    assert vectors is backbone.decoder.get_input_embeddings().weight is backbone.decoder.get_output_embeddings().weight
    assert vectors.equal(source["embeddings.word_embeddings.weight"])


@families
def test_the_bundled_start_is_saved_and_read_like_any_other(
    family: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bert = write_tiny_bert(tmp_path / "bert")
    monkeypatch.setattr(pretrained, "_bundled", lambda kind: bert)
    made = student(family, **{**FROM_HUB, "model": "bundled", "learning_rate": 1e-2})
    made.fit(small.mixture(), [], small.SUMMARY_TASK, Silent())
    made.save(tmp_path / "model")
    again = load(tmp_path / "model")
    assert again.predict(TEXTS) == made.predict(TEXTS)
    assert again.count_parameters() == made.count_parameters()


@pytest.mark.slow
def test_the_real_bundled_encoder_writes(tmp_path: Path) -> None:
    made = student("bart", model="bundled", epochs=0.2, batch_size=4, max_source=32, max_target=12)
    made.check_available()
    made.fit(small.mixture(), [], small.SUMMARY_TASK, Silent())
    made.save(tmp_path / "model")
    assert made.count_parameters() == 37_290_042
    answers = made.predict(TEXTS)
    assert all(answer.target for answer in answers)
    assert load(tmp_path / "model").predict(TEXTS) == answers


@pytest.mark.gpu
@families
def test_it_learns_on_a_gpu(family: str) -> None:
    assert torch.cuda.is_available()
    made = student(family, model="scratch", scratch={"d_model": 64}, epochs=40, batch_size=8, max_source=32)
    made.fit(small.mixture(), small.VALIDATION, small.TASK, Silent())
    assert small.right(made.predict(small.TEXTS)) >= 0.8


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def more_words_than_vectors(folder: Path) -> None:
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"]["surplus"] = 10_000
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("t5") / "model"
    fitted("t5", **FROM_SCRATCH).save(folder)
    return folder


@pytest.mark.parametrize(
    "harm",
    [
        more_words_than_vectors,
        lambda folder: edit(folder / "config.json", vocab_size=10**12),
        lambda folder: edit(folder / "config.json", num_layers=10**9),
        lambda folder: edit(folder / "config.json", num_decoder_layers=10**9),
        lambda folder: edit(folder / "config.json", num_decoder_layers=2),
        lambda folder: edit(folder / "config.json", d_model=18),
        lambda folder: edit(folder / "config.json", model_type="bart"),
        lambda folder: edit(folder / "config.json", model_type="gpt2"),
        lambda folder: edit(folder / "config.json", model_type="encoder-decoder"),
        lambda folder: edit(folder / "config.json", model_type="x", auto_map={"AutoConfig": "evil.Config"}),
        lambda folder: edit(folder / "config.json", eos_token_id=None),
        lambda folder: edit(folder / "config.json", pad_token_id=10**6),
        lambda folder: edit(folder / "config.json", decoder_start_token_id="</s>"),
        lambda folder: edit(folder / "config.json", eos_token_id=[1]),
    ],
)
def test_a_broken_folder_is_a_model_error(model: Path, tmp_path: Path, harm: Callable[[Path], object]) -> None:
    import shutil

    folder = Path(shutil.copytree(model, tmp_path / "copy"))
    harm(folder)
    with pytest.raises(ModelError):
        load(folder)
