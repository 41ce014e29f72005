"""Counting tokens before anything is asked: with a tokenizer where there is one, else by rule of thumb."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from understudy.errors import TeacherError
from understudy.extras import need
from understudy.teacher.cost.spending import CHARACTERS_A_TOKEN

TokenCount = Callable[[Sequence[Mapping[str, Any]]], int]
"""How many tokens some chat messages are."""

_FRAME = 4
"""Tokens around each message in most chat templates."""


def estimated_tokens(messages: Sequence[Mapping[str, Any]]) -> int:
    """The tokens in some messages, taking four characters to a token, which holds for English."""
    characters = sum(len(message["content"]) for message in messages)
    return -(-characters // CHARACTERS_A_TOKEN) + _FRAME * len(messages)


def token_count(tokenizer: str) -> TokenCount:
    """Count with a tokenizer: a folder or file with a ``tokenizer.json``, a hub name, or a ``tiktoken`` encoding.

    Args:
        tokenizer: ``path/to/folder``, ``Qwen/Qwen3-8B``, or ``tiktoken:o200k_base``.

    Raises:
        MissingExtra: The package that reads it is not installed.
        TeacherError: It cannot be loaded.
    """
    encode = _tiktoken(tokenizer.removeprefix("tiktoken:")) if tokenizer.startswith("tiktoken:") else _fast(tokenizer)

    def count(messages: Sequence[Mapping[str, Any]]) -> int:
        return sum(encode(message["content"]) + _FRAME for message in messages)

    return count


def _fast(tokenizer: str) -> Callable[[str], int]:
    tokenizers = need("tokenizers", "counting tokens")
    path = Path(tokenizer).expanduser()
    try:
        if path.exists():
            loaded = tokenizers.Tokenizer.from_file(str(path / "tokenizer.json" if path.is_dir() else path))
        else:
            loaded = tokenizers.Tokenizer.from_pretrained(tokenizer)
    except Exception as error:  # noqa: BLE001 - the library raises bare exceptions
        raise TeacherError(
            f"teacher.tokenizer {tokenizer!r} cannot be loaded ({error}); expected a folder with a tokenizer.json, or "
            "the hub name of one"
        ) from None
    loaded.no_truncation()
    return lambda text: len(loaded.encode(text, add_special_tokens=False).ids)


def _tiktoken(encoding: str) -> Callable[[str], int]:
    tiktoken = need("tiktoken", "counting tokens of this encoding")
    try:
        loaded = tiktoken.get_encoding(encoding)
    except Exception as error:  # noqa: BLE001 - it fetches the encoding, which can fail in any way
        raise TeacherError(f"teacher.tokenizer: the encoding {encoding!r} cannot be had ({error})") from None
    return lambda text: len(loaded.encode(text, disallowed_special=()))
