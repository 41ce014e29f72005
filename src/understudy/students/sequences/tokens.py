"""What a sequence model reads and writes, as token ids."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from understudy.errors import ModelError
from understudy.example import whole
from understudy.words import quoted

_MARKS = ("decoder_start_token_id", "eos_token_id", "pad_token_id")


class Tokens:
    """A tokenizer, with what a model wants around a source and before and behind an answer.

    Args:
        tokenizer: A fast tokenizer (of the package tokenizers) without padding or truncation.
        config: The model's configuration.
        max_source: Tokens of a source, as far as the model reads.
        max_target: Tokens of an answer, its end among them, as far as the model writes.

    Attributes:
        opening: What the decoder begins with, before the first token of its own.
        end: The token that ends an answer.
        filler: The token that pads.

    Raises:
        ModelError: The configuration does not say which tokens these are.
    """

    def __init__(self, tokenizer: Any, config: Any, max_source: int, max_target: int) -> None:
        tokenizer.encode_special_tokens = True  # what looks like a mark in a text is plain characters
        self._tokenizer = tokenizer
        self._vocabulary: int = getattr(config, "decoder", config).vocab_size
        start, self.end, self.filler = (self._mark(config, name) for name in _MARKS)
        self._before, self._after = _frame(tokenizer)
        self.opening = [*dict.fromkeys([start, *self._before])]  # BERT's first mark is both; BART has one of each
        self._max_source = min(max_source, _positions(getattr(config, "encoder", config), max_source))
        room = _positions(getattr(config, "decoder", config), max_target + len(self.opening)) - len(self.opening)
        self.max_target = min(max_target, room)

    def sources(self, texts: Sequence[str]) -> list[list[int]]:
        """What the encoder reads of each text."""
        room = self._max_source - len(self._before) - len(self._after)
        return [[*self._before, *ids[:room], *self._after] for ids in self._plain(texts)]

    def targets(self, texts: Sequence[str]) -> list[list[int]]:
        """What the decoder is to write for each text."""
        return [[*ids[: self.max_target - 1], self.end] for ids in self._plain(texts)]

    def text(self, ids: Sequence[int]) -> str:
        """What was written."""
        text: str = self._tokenizer.decode([*ids], skip_special_tokens=True)
        return text.strip()

    def written(self, texts: Sequence[str]) -> list[str]:
        """What becomes of texts in being written: a tokenizer may not know their capitals, signs or line breaks."""
        return [self.text(ids) for ids in self.targets(texts)]

    @cached_property
    def never(self) -> list[int]:
        """Tokens that stand in no answer: marks other than its end, and numbers that no token has."""
        marks = {number for number, token in self._tokenizer.get_added_tokens_decoder().items() if token.special}
        known = max(self._tokenizer.get_vocab().values()) + 1
        return sorted((marks | set(range(known, self._vocabulary))) - {self.end})

    @cached_property
    def blank(self) -> list[int]:
        """Tokens that nobody sees, with which no answer begins, so that none is empty."""
        return [number for number in range(self._vocabulary) if not self.text([number])]

    def _mark(self, config: Any, name: str) -> int:
        """The number of a token that the configuration names."""
        number = getattr(config, name, None)
        if type(number) is not int or not 0 <= number < self._vocabulary:
            raise ModelError(f"{name} in config.json is {quoted(number)}; expected the number of a token")
        return number

    def _plain(self, texts: Sequence[str]) -> list[list[int]]:
        encodings = self._tokenizer.encode_batch_fast([*map(whole, texts)], add_special_tokens=False)
        return [encoding.ids for encoding in encodings]


def _frame(tokenizer: Any) -> tuple[list[int], list[int]]:
    """The marks that a tokenizer puts before a text and behind it."""
    encoding = tokenizer.encode("a")
    content = [place for place, marked in enumerate(encoding.special_tokens_mask) if not marked]
    return encoding.ids[: content[0]], encoding.ids[content[-1] + 1 :]


def _positions(config: Any, unlimited: int) -> int:
    """The most tokens that one half of a model takes; models with relative positions take any number."""
    return int(getattr(config, "max_position_embeddings", None) or unlimited)
