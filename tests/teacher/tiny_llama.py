"""A chat model of a few thousand random parameters in the hub's layout: it answers rubbish, but by real generation."""

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.students import small
from understudy.teacher.local.completion import Completion, Generate
from understudy.teacher.local.model import LocalModel
from understudy.teacher.request import Body

if TYPE_CHECKING:
    from understudy.teacher.local.generation import Generator

TEMPLATE = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
WITHOUT_SYSTEM = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + TEMPLATE
WINDOW = 160


def write_tiny_llama(folder: Path, *, template: str | None = TEMPLATE, seed: int = 0) -> Path:
    """Write config.json, generation_config.json, model.safetensors, tokenizer.json and chat_template.jinja."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.decoders import ByteLevel as Bytes
    from tokenizers.models import BPE
    from tokenizers.pre_tokenizers import ByteLevel
    from tokenizers.trainers import BpeTrainer
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    marks = ["<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer, tokenizer.decoder = ByteLevel(add_prefix_space=False), Bytes()
    trainer = BpeTrainer(
        vocab_size=400, special_tokens=marks, initial_alphabet=ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator([example.text for example in small.examples("gold", 30)], trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=marks[0], extra_special_tokens=marks[1:])
    fast.chat_template = template
    fast.save_pretrained(folder)
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(fast),
        hidden_size=64,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=WINDOW,
        initializer_range=0.3,  # wide enough that no two tokens are as good as equal
        bos_token_id=None,
        eos_token_id=0,
        tie_word_embeddings=False,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def loaded(folder: Path, stopped: threading.Event | None = None, **settings: Any) -> "Generator":
    """The model of a folder, ready to answer on the processor."""
    from understudy.teacher.local.generation import Generator

    generator = LocalModel(path=folder, device="cpu", **settings).load(stopped or threading.Event())
    assert isinstance(generator, Generator)
    return generator


def chat(text: str, **wishes: Any) -> Body:
    return {"model": "m", "messages": [{"role": "user", "content": text}], **wishes}


def completions(generate: Generate, *bodies: Body) -> list[Completion]:
    outcomes = generate(bodies)
    assert all(isinstance(outcome, Completion) for outcome in outcomes)
    return [outcome for outcome in outcomes if isinstance(outcome, Completion)]
