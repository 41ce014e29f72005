"""Where a sequence model sets out from: pretrained weights, the bundled encoder, or nothing; and its folder."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.errors import ModelError
from understudy.extras import quiet_transformers
from understudy.students import pretrained
from understudy.students.pretrained import Kind, Pretrained
from understudy.students.ranges import BUNDLED, SCRATCH
from understudy.students.sequences import scratch
from understudy.students.sequences.settings import Setup

if TYPE_CHECKING:
    from torch import Tensor

_WARM_STARTED = "encoder-decoder"
"""The model type of what grows out of the bundled encoder."""


def begin(setup: Setup, lines: Iterable[str]) -> Pretrained:
    """The model that a setup starts from, with its tokenizer.

    Args:
        setup: What it should be.
        lines: Texts and targets that it will learn from, for a tokenizer that has to be learned first.

    Raises:
        MissingExtra: A package is not installed.
        ModelError: The weights cannot be had, or are not those of such a model.
    """
    if setup.model == SCRATCH:
        return scratch.unlearned(setup, lines)
    if setup.model == BUNDLED:
        return warm_started(pretrained.locate(BUNDLED, setup.kind))
    return pretrained.pretrained(setup.model, setup.kind)


def warm_started(folder: Path) -> Pretrained:
    """An encoder-decoder whose halves both set out from a BERT-like encoder (Rothe et al. 2020).

    Word vectors are one for both halves and the head; what reads the encoder's states is new.

    Args:
        folder: The encoder, in the hub's layout.

    Raises:
        ModelError: There is no such encoder.
    """
    from transformers import EncoderDecoderModel

    encoder = pretrained.pretrained(str(folder))
    with quiet_transformers():
        backbone = EncoderDecoderModel.from_encoder_decoder_pretrained(folder, folder)
    tokenizer = encoder.tokenizer
    first, *_, last = tokenizer.encode("a").ids
    backbone.config.decoder_start_token_id, backbone.config.eos_token_id = first, last
    backbone.config.pad_token_id = encoder.backbone.config.pad_token_id
    return Pretrained(_one_vocabulary(backbone.float()), tokenizer, encoder.longest)


def read(folder: Path, kind: Kind) -> "tuple[Pretrained, dict[str, Tensor]]":
    """What was written of a sequence model: its backbone, still to be filled in, and all its tensors.

    Raises:
        ModelError: The files do not fit together, or a weight is not a number.
    """
    from understudy.students.networks import read_weights

    def build(config: Any) -> Any:
        from transformers import AutoModelForSeq2SeqLM

        if not (config.model_type == _WARM_STARTED or kind.holds(config.to_dict())):
            raise ModelError(f"{folder}: config.json is of a {config.model_type} model; expected {kind.noun}")
        backbone = AutoModelForSeq2SeqLM.from_config(config, trust_remote_code=False)
        return _one_vocabulary(backbone) if config.model_type == _WARM_STARTED else backbone

    weights = read_weights(folder / pretrained.WEIGHTS)
    backbone = pretrained.unlearned(folder, weights, build)
    return Pretrained(backbone, pretrained.known_tokenizer(backbone, folder), 0), weights


def _one_vocabulary(backbone: Any) -> Any:
    """Encoder, decoder and head with the same word vectors."""
    vectors = backbone.encoder.get_input_embeddings()
    backbone.decoder.set_input_embeddings(vectors)
    backbone.decoder.get_output_embeddings().weight = vectors.weight
    return backbone
