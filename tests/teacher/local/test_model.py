import json
import shutil
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from tests.teacher.tiny_llama import TEMPLATE, chat, completions, loaded, write_tiny_llama
from understudy.errors import MissingExtra, ModelError
from understudy.teacher.local.completion import Completion
from understudy.teacher.local.model import LocalModel


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_llama(tmp_path_factory.mktemp("tiny-llama"))


@pytest.fixture
def copied(tiny: Path, tmp_path: Path) -> Path:
    """The model in a folder of its own, to be tampered with."""
    return Path(shutil.copytree(tiny, tmp_path / "model"))


def test_the_name_tells_weights_tokenizers_and_templates_apart(copied: Path) -> None:
    names = [LocalModel(path=copied).name]
    assert len(names[0]) == len("local:") + 12
    assert LocalModel(path=copied, batch_size=3).name == names[0]
    for file in ("model.safetensors", "tokenizer.json", "chat_template.jinja", "generation_config.json"):
        (copied / file).write_bytes((copied / file).read_bytes() + b" ")
        names.append(LocalModel(path=copied).name)
    assert len(set(names)) == len(names)
    (copied / "README.md").write_text("no part of it")
    assert LocalModel(path=copied).name == names[-1]


def test_a_whole_folder_passes_the_check(tiny: Path) -> None:
    LocalModel(path=tiny).check()


def test_a_chat_template_may_stand_in_the_tokenizers_configuration(copied: Path) -> None:
    (copied / "chat_template.jinja").unlink()
    path = copied / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "chat_template": TEMPLATE}))
    LocalModel(path=copied).check()
    assert loaded(copied).prompts.encode([{"role": "user", "content": "goal"}])


@pytest.mark.parametrize(
    ("file", "content", "found"),
    [
        ("config.json", None, "no readable config.json"),
        ("config.json", "[" * 100_000, "no readable config.json"),
        ("config.json", '{"is_encoder_decoder": true}', "an encoder with a decoder"),
        ("model.safetensors", None, "no safetensors weights"),
        ("tokenizer.json", None, "no tokenizer"),
        ("chat_template.jinja", None, "no chat template"),
    ],
)
def test_what_is_missing_from_a_folder_is_named(copied: Path, file: str, content: str | None, found: str) -> None:
    (copied / file).unlink()
    if content is not None:
        (copied / file).write_text(content)
    with pytest.raises(ModelError, match=found) as caught:
        LocalModel(path=copied).check()
    assert "expected a chat model in the hub's layout" in str(caught.value)
    with pytest.raises(ModelError, match=found):
        loaded(copied)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no such folder; expected a chat model"):
        LocalModel(path=tmp_path / "nowhere").check()


def test_pickled_weights_are_not_loaded(copied: Path) -> None:
    (copied / "model.safetensors").rename(copied / "pytorch_model.bin")
    with pytest.raises(ModelError, match="pickled ones are not loaded"):
        LocalModel(path=copied).check()


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("model.safetensors", b"garbage"),
        ("tokenizer.json", b"{}"),
        ("chat_template.jinja", b"{% if %}"),
        ("chat_template.jinja", b"{{ ''.__class__.__mro__[1].__subclasses__() }}"),
        ("config.json", b'{"model_type": "unheard-of"}'),
        ("config.json", b'{"model_type": "x", "auto_map": {"AutoModelForCausalLM": "evil.Model"}}'),
    ],
)
def test_a_folder_that_is_broken_is_told_when_it_is_loaded(copied: Path, file: str, content: bytes) -> None:
    (copied / file).write_bytes(content)
    with pytest.raises(ModelError, match="cannot be loaded") as caught:
        loaded(copied)
    assert "\n" not in str(caught.value)


def test_weights_that_are_not_whole_are_refused(copied: Path) -> None:
    from safetensors.torch import load_file, save_file

    tensors = load_file(copied / "model.safetensors")
    del tensors["lm_head.weight"]
    save_file(tensors, copied / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"the weights lack lm_head\.weight"):
        loaded(copied)


def test_settings_of_the_folder_for_generation_do_not_count(copied: Path) -> None:
    def greedy() -> list[Completion]:
        return completions(loaded(copied, max_tokens=24), *(chat(f"goal {index}") for index in range(5)))

    before = greedy()
    settings = {"do_sample": True, "temperature": 9.0, "repetition_penalty": 5.0, "max_length": 3, "eos_token_id": [0]}
    (copied / "generation_config.json").write_text(json.dumps(settings))
    assert greedy() == before


def test_a_further_end_token_of_the_folder_ends_replies_too(copied: Path) -> None:
    body = chat("the match", max_tokens=24)
    [longer] = completions(loaded(copied), body)
    ends = list(range(350))
    (copied / "generation_config.json").write_text(json.dumps({"eos_token_id": ends}))
    [shorter] = completions(loaded(copied), body)
    assert shorter.ended
    assert shorter.completion_tokens < longer.completion_tokens
    assert longer.text.startswith(shorter.text)


def test_loading_draws_no_bars(capfd: pytest.CaptureFixture[str], tiny: Path) -> None:
    capfd.readouterr()
    loaded(tiny)([chat("goal", max_tokens=2)])
    assert capfd.readouterr() == ("", "")


def test_without_transformers_the_extra_is_named(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(MissingExtra, match=r"the local teacher needs .* pip install 'understudy\["):
        LocalModel(path=tiny).check()
