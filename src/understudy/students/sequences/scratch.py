"""A model from nothing: a tokenizer learned from the texts, and random weights."""

from collections.abc import Iterable
from typing import Any

from understudy.errors import ModelError
from understudy.example import whole
from understudy.students.pretrained import Pretrained
from understudy.students.sequences.settings import USUAL_SIZES, Setup, Sizes

_PAD, _END = "<pad>", "</s>"
_WIDENING = 4
"""A feed-forward layer has so many times the numbers of a state."""


def check_sizes(sizes: Sizes) -> Sizes:
    """The sizes, with the usual ones where one is left open.

    Raises:
        ModelError: The heads do not divide a state.
    """
    sizes = {**USUAL_SIZES, **sizes}
    if sizes["d_model"] % sizes["heads"]:
        raise ModelError(
            f"scratch: {sizes['heads']} heads and a d_model of {sizes['d_model']}; expected a multiple of the heads"
        )
    return sizes


def unlearned(setup: Setup, lines: Iterable[str]) -> Pretrained:
    """A model with a tokenizer for these lines, which has learned nothing yet.

    Args:
        setup: Its kind, sizes and lengths.
        lines: Texts and targets that it will learn from.

    Raises:
        ModelError: The sizes do not go together.
    """
    from transformers import AutoModelForSeq2SeqLM

    sizes = check_sizes(setup.sizes)
    tokenizer = _tokenizer(lines, sizes["vocabulary"])
    marks = {"pad_token_id": tokenizer.token_to_id(_PAD), "eos_token_id": tokenizer.token_to_id(_END)}
    positions = max(setup.max_source, setup.max_target + 1)
    config = {"t5": _t5, "bart": _bart}[setup.family](sizes, tokenizer.get_vocab_size(), positions, marks)
    return Pretrained(AutoModelForSeq2SeqLM.from_config(config), tokenizer, positions)


def _tokenizer(lines: Iterable[str], vocabulary: int) -> Any:
    """Byte-pair encoding of bytes (Sennrich et al. 2016; Radford et al. 2019): no character is unknown to it."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[_PAD, _END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(map(whole, lines), trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"$A {_END}", special_tokens=[(_END, tokenizer.token_to_id(_END))]
    )
    return tokenizer


def _t5(sizes: Sizes, vocabulary: int, positions: int, marks: dict[str, int]) -> Any:
    """T5 (Raffel et al. 2020), whose positions are relative and without end."""
    from transformers import T5Config

    return T5Config(
        vocab_size=vocabulary,
        d_model=sizes["d_model"],
        d_kv=sizes["d_model"] // sizes["heads"],
        d_ff=_WIDENING * sizes["d_model"],
        num_layers=sizes["layers"],
        num_heads=sizes["heads"],
        decoder_start_token_id=marks["pad_token_id"],
        **marks,
    )


def _bart(sizes: Sizes, vocabulary: int, positions: int, marks: dict[str, int]) -> Any:
    """BART (Lewis et al. 2020)."""
    from transformers import BartConfig

    wide = _WIDENING * sizes["d_model"]
    return BartConfig(
        vocab_size=vocabulary,
        d_model=sizes["d_model"],
        encoder_layers=sizes["layers"],
        decoder_layers=sizes["layers"],
        encoder_attention_heads=sizes["heads"],
        decoder_attention_heads=sizes["heads"],
        encoder_ffn_dim=wide,
        decoder_ffn_dim=wide,
        max_position_embeddings=positions,
        # As Vaswani et al. (2017) have it: BART's own spread of 0.02 is for wider states, and leaves small ones idle.
        init_std=sizes["d_model"] ** -0.5,
        scale_embedding=True,
        bos_token_id=marks["eos_token_id"],
        forced_eos_token_id=None,
        decoder_start_token_id=marks["eos_token_id"],
        **marks,
    )
