"""A causal language model in a local folder, with its chat template: what it must hold, and how it is loaded."""

import hashlib
import json
import threading
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from understudy.data.files import digest
from understudy.errors import ModelError
from understudy.extras import need, quiet_transformers
from understudy.teacher.local.completion import Generate
from understudy.teacher.local.prompts import ChatPrompts, Messages

_PURPOSE = "the local teacher"
_EXPECTED = (
    "expected a chat model in the hub's layout: config.json, model*.safetensors, tokenizer.json and a chat template "
    "(chat_template.jinja, or in tokenizer_config.json)"
)
_FILES = (
    "config.json",
    "generation_config.json",
    "model*.safetensors",
    "model.safetensors.index.json",
    "tokenizer*",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.*",
    "merges.txt",
    "chat_template.*",
)
_TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")


class LocalModel:
    """A chat model in a folder in the hub's layout, run by transformers in this process.

    Nothing in the folder is run as code: no pickled weights, no modules of its own; its chat template is rendered in
    a sandbox. A request's ``response_format`` cannot be enforced here, so the prompt alone asks for the form. The same
    request gets the same reply on the same device, except where rounding, which depends on the batch, decides between
    two tokens that are as good as equal.

    Args:
        path: The folder.
        batch_size: How many requests are answered together; halved where a GPU's memory does not suffice.
        max_tokens: How many tokens a reply may have where the request does not say.
        device: Where it runs, such as ``cpu`` or ``cuda:1``; ``auto`` is a GPU if there is one.
        dtype: The numbers that it computes with; ``auto`` are those that its weights are kept in.
    """

    def __init__(
        self,
        *,
        path: Path,
        batch_size: int = 8,
        max_tokens: int = 512,
        device: str = "auto",
        dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto",
    ) -> None:
        self.path = path
        self.batch_size = batch_size
        self.max_tokens = max_tokens
        self.device = device
        self.dtype = dtype

    @cached_property
    def name(self) -> str:
        """``local:`` and a fingerprint of the weights' and the tokenizer's files; each is read once."""
        return f"local:{fingerprint(self.path)}"

    def check(self) -> None:
        """Make sure that there is such a model, as far as a glance can tell; nothing is loaded.

        Raises:
            MissingExtra: A package is not installed.
            ModelError: Something is missing from the folder.
        """
        for package in ("torch", "transformers"):
            need(package, _PURPOSE)
        problem = _problem(self.path)
        if problem:
            raise ModelError(f"{self.path}: {problem}; {_EXPECTED}")

    def tokens(self, messages: Messages) -> int:
        """How many tokens the model reads in a conversation, exactly; only the tokenizer is loaded.

        Raises:
            ModelError: The tokenizer cannot be loaded.
            RequestFailed: The chat template does not take these messages.
        """
        return len(self._prompts.encode(messages))

    def load(self, stopped: threading.Event) -> Generate:
        """Bring the model into memory, and its answers to batches of requests with it.

        Args:
            stopped: Once this is set, a batch under way is broken off.

        Raises:
            MissingExtra: A package is not installed.
            ModelError: It cannot be loaded.
        """
        prompts = self._prompts
        from understudy.teacher.local.generation import Generator

        model = self._model()
        window = _window(model.config, prompts.tokenizer)
        return Generator(model, prompts, window=window, max_tokens=self.max_tokens, stopped=stopped)

    @cached_property
    def _prompts(self) -> ChatPrompts:
        self.check()
        from transformers import AutoTokenizer

        try:
            with quiet_transformers():
                tokenizer = AutoTokenizer.from_pretrained(self.path, local_files_only=True, trust_remote_code=False)
            prompts = ChatPrompts(tokenizer)
            prompts.encode([{"role": "user", "content": "?"}])
        except Exception as error:  # a foreign folder can fail in any way
            raise self._unusable("tokenizer and chat template", error) from error
        return prompts

    def _model(self) -> Any:
        from transformers import AutoModelForCausalLM

        try:
            with quiet_transformers():
                model, found = AutoModelForCausalLM.from_pretrained(
                    self.path,
                    dtype=self.dtype,
                    use_safetensors=True,
                    local_files_only=True,
                    trust_remote_code=False,
                    output_loading_info=True,
                )
            model = model.eval().to(self._device())
        except Exception as error:  # as above; too little memory among the ways
            raise self._unusable("model", error) from error
        if found["missing_keys"]:
            raise ModelError(f"{self.path}: the weights lack {min(found['missing_keys'])} and so are not whole")
        return model

    def _device(self) -> Any:
        from understudy.training.loop import best_device

        return best_device() if self.device == "auto" else self.device

    def _unusable(self, part: str, error: Exception) -> ModelError:
        return ModelError(f"{self.path}: the {part} cannot be loaded ({' '.join(str(error).split())}); {_EXPECTED}")


def fingerprint(folder: Path) -> str:
    """Twelve hexadecimal digits that tell a model's weights, tokenizer and chat template from any others.

    Raises:
        DataError: A file cannot be read.
    """
    files = sorted({file for pattern in _FILES for file in folder.glob(pattern)})
    listed = json.dumps([(file.name, digest(file)) for file in files])
    return hashlib.sha256(listed.encode("utf-8")).hexdigest()[:12]


def _problem(folder: Path) -> str | None:
    config = _object(folder / "config.json")
    if config is None:
        return "no readable config.json there" if folder.is_dir() else "no such folder"
    if config.get("is_encoder_decoder"):
        return "an encoder with a decoder, which does not chat"
    if not any(folder.glob("model*.safetensors")):
        return "no safetensors weights there (pickled ones are not loaded)"
    if not any((folder / name).is_file() for name in _TOKENIZERS):
        return "no tokenizer there"
    if not _has_chat_template(folder):
        return "no chat template there, so this is not a model that was trained to chat"
    return None


def _has_chat_template(folder: Path) -> bool:
    if any((folder / f"chat_template.{ending}").is_file() for ending in ("jinja", "json")):
        return True
    return bool((_object(folder / "tokenizer_config.json") or {}).get("chat_template"))


def _object(path: Path) -> dict[str, Any] | None:
    """The JSON object in a file; None where there is none."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _window(config: Any, tokenizer: Any) -> int:
    """The most tokens that the model has places for; the tokenizer's own limit is astronomical where it knows none."""
    places = getattr(config.get_text_config(), "max_position_embeddings", None)
    return int(min(places or tokenizer.model_max_length, tokenizer.model_max_length))
