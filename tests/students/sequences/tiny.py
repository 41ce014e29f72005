"""A T5 and a BART of some thousand random parameters in the hub's layout, and what their tests do alike."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.students import small
from understudy.example import Example

FROM_SCRATCH: dict[str, Any] = {
    "model": "scratch",
    "scratch": {"d_model": 16, "layers": 1, "heads": 2, "vocabulary": 300},
    "max_source": 48,
    "max_target": 8,
    "epochs": 1,
}
FROM_HUB: dict[str, Any] = {**FROM_SCRATCH, "scratch": None}


def write_tiny(family: str, folder: Path, *more: str) -> Path:
    """Write config.json, model.safetensors and tokenizer.json, of the family's marks, a few words, and more."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import (
        BartConfig,
        BartForConditionalGeneration,
        PreTrainedTokenizerFast,
        T5Config,
        T5ForConditionalGeneration,
    )

    words = sorted({word for example in small.examples("gold", 90) for word in example.text.split()})
    pieces = ["<pad>", "</s>", "<s>", "<unk>", *words, *small.TASK.labels, "0", "1", *more]
    tokenizer = Tokenizer(models.WordLevel({piece: number for number, piece in enumerate(pieces)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="$A </s>" if family == "t5" else "<s> $A </s>", special_tokens=[("<s>", 2), ("</s>", 1)]
    )
    marks = {"pad_token": "<pad>", "eos_token": "</s>", "bos_token": "<s>", "unk_token": "<unk>"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=64, **marks).save_pretrained(folder)
    torch.manual_seed(0)
    common: dict[str, Any] = {"vocab_size": len(pieces) + 4, "d_model": 16, "pad_token_id": 0, "eos_token_id": 1}
    if family == "t5":
        config = T5Config(d_kv=8, d_ff=32, num_layers=1, num_heads=2, decoder_start_token_id=0, **common)
        T5ForConditionalGeneration(config).save_pretrained(folder)
    else:
        heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2}
        sizes = {"encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32}
        start = {"bos_token_id": 2, "decoder_start_token_id": 1, "max_position_embeddings": 64}
        BartForConditionalGeneration(BartConfig(**common, **heads, **sizes, **start)).save_pretrained(folder)
    return folder


def reasoned(examples: list[Example]) -> list[Example]:
    """The examples as a teacher that reasons step by step would have answered them."""
    reply = '{"reasoning": "the words tell it", "label": "..."}'
    return [replace(example, meta={"reply": reply}) for example in examples]


@contextmanager
def one_thread() -> Iterator[None]:
    """So little work is done soonest by one thread."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
