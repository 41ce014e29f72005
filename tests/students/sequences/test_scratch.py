from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.students import small
from understudy.errors import ModelError
from understudy.students.bart import BART
from understudy.students.pretrained import Pretrained
from understudy.students.sequences.scratch import check_sizes, unlearned
from understudy.students.sequences.settings import Sizes
from understudy.students.sequences.tokens import Tokens
from understudy.students.t5 import T5

LINES = [example.text for example in small.examples("gold", 30)]
SIZES: Sizes = {"d_model": 32, "layers": 1, "heads": 2, "vocabulary": 320}


def start(student: type[T5] | type[BART], lines: list[str] = LINES, **sizes: int) -> Pretrained:
    chosen: Sizes = {**SIZES, **sizes}  # type: ignore[typeddict-item]
    made: Any = student(model="scratch", scratch=chosen, max_source=40, max_target=50)
    return unlearned(made._setup(small.TASK, max_source=256), lines)


T5_START = start(T5)
TOKENS = Tokens(T5_START.tokenizer, T5_START.backbone.config, 1_000, 1_000)


@given(st.text(max_size=40))
@settings(max_examples=60)
def test_no_character_is_unknown_and_what_is_read_can_be_written(text: str) -> None:
    assert TOKENS.text(TOKENS.targets([text])[0]) == text.strip()


def test_frequent_words_become_tokens_and_the_vocabulary_is_no_larger_than_asked_for() -> None:
    assert len(TOKENS.sources(["goal match team"])[0]) < len("goal match team")
    assert len(TOKENS.sources(["zqx"])[0]) == len(" zqx") + 1
    assert T5_START.tokenizer.get_vocab_size() == T5_START.backbone.config.vocab_size <= 320


def test_half_a_character_in_what_is_learned_from_does_no_harm() -> None:
    assert start(T5, ["half a \ud83d character"]).tokenizer.get_vocab_size() >= 256


def test_sizes_are_those_asked_for() -> None:
    for student in (T5, BART):
        config = start(student, layers=2).backbone.config
        assert (config.d_model, config.num_hidden_layers, config.num_attention_heads) == (32, 2, 2)
    assert config.max_position_embeddings == 51


def test_what_is_left_open_is_as_usual_and_heads_divide_a_state() -> None:
    assert check_sizes({"layers": 3}) == {"d_model": 128, "layers": 3, "heads": 4, "vocabulary": 8_000}
    with pytest.raises(ModelError, match="5 heads and a d_model of 128; expected a multiple"):
        check_sizes({"heads": 5})
