import sys
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from understudy.errors import MissingExtra, TeacherError
from understudy.teacher.cost.tokens import estimated_tokens, token_count

FRAME = 4


def said(*contents: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": content} for content in contents]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tokenizer that makes a token of each word, begins every text with one of its own, and cuts texts short."""
    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0, "[CLS]": 1, "goal": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A", special_tokens=[("[CLS]", 1)])
    tokenizer.enable_truncation(5)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    return tmp_path


@pytest.mark.parametrize("file", ["", "tokenizer.json"])
def test_a_tokenizer_counts_the_words_of_all_messages_and_their_frames(folder: Path, file: str) -> None:
    count = token_count(str(folder / file))
    assert count(said("a goal")) == 2 + FRAME
    assert count(said("a goal", "another goal, and one more")) == 2 + 6 + 2 * FRAME
    assert count(said("goal " * 1000)) == 1000 + FRAME
    assert count(said("")) == FRAME
    assert count([]) == 0


def test_without_a_tokenizer_four_characters_are_a_token() -> None:
    assert estimated_tokens(said("12345678", "9")) == 3 + 2 * FRAME
    assert estimated_tokens([]) == 0


@pytest.mark.parametrize("content", [None, "", "{}", "[1]", "\ufffd"])
def test_a_tokenizer_that_cannot_be_loaded_is_told(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(TeacherError, match=r"teacher\.tokenizer '.*' cannot be loaded .* tokenizer\.json"):
        token_count(str(tmp_path))


def test_a_name_that_cannot_be_one_is_told() -> None:
    with pytest.raises(TeacherError, match=r"'not/a/hub/name' cannot be loaded"):
        token_count("not/a/hub/name")


@pytest.mark.parametrize(("tokenizer", "package"), [("any", "tokenizers"), ("tiktoken:o200k_base", "tiktoken")])
def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, tokenizer: str, package: str) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=package):
        token_count(tokenizer)
