"""Answers, token by token: greedily or by beam search, the same whatever else is in the batch."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from understudy.students.networks import device_of
from understudy.students.sequences.networks import Seq2Seq, paired
from understudy.students.sequences.settings import GREEDY, Search
from understudy.students.sequences.tokens import Tokens
from understudy.training.batching import by_length, pad

_TOKENISED = 1024
"""Texts that are held as tokens at a time."""
_AT_ONCE = 32
"""Texts in a batch, which are of like length."""


class Written(NamedTuple):
    """An answer.

    Attributes:
        text: What it says.
        log_probability: Of all its tokens together.
        tokens: How many they are.
    """

    text: str
    log_probability: float
    tokens: int


def write(network: Seq2Seq, tokens: Tokens, texts: Sequence[str], search: Search) -> list[Written]:
    """The answer to each text, in order; it begins with something that can be seen."""
    options = _options(tokens, search)
    found = [Written("", 0.0, 0)] * len(texts)
    with torch.inference_mode():
        for places, ids, mask in read_in_batches(tokens, texts, device_of(network)):
            for place, answer in zip(places, _answers(network, tokens, ids, mask, options), strict=True):
                found[place] = answer
    return found


def read_in_batches(
    tokens: Tokens, texts: Sequence[str], device: torch.device
) -> Iterator[tuple[list[int], Tensor, Tensor]]:
    """Texts of like length together: their places, and their ids and mask, both of shape (texts, tokens)."""
    for first in range(0, len(texts), _TOKENISED):
        sources = tokens.sources(texts[first : first + _TOKENISED])
        for places in by_length([len(source) for source in sources], _AT_ONCE):
            ids, mask = pad([sources[place] for place in places], tokens.filler)
            yield [first + place for place in places], ids.to(device), mask.to(device)


def _options(tokens: Tokens, search: Search) -> Any:
    from transformers import GenerationConfig

    search = {**GREEDY, **search}
    beams = search["beams"]
    among_beams = {"length_penalty": search["length_penalty"], "early_stopping": True} if beams > 1 else {}
    return GenerationConfig(
        max_new_tokens=tokens.max_target,
        num_beams=beams,
        no_repeat_ngram_size=search["no_repeat_ngram"],
        suppress_tokens=tokens.never,
        begin_suppress_tokens=tokens.blank,
        decoder_start_token_id=tokens.opening[0],
        eos_token_id=tokens.end,
        pad_token_id=tokens.filler,
        **among_beams,
    )


def _answers(network: Seq2Seq, tokens: Tokens, ids: Tensor, mask: Tensor, options: Any) -> list[Written]:
    """What is written about a batch, and how likely it is."""
    from transformers.modeling_outputs import BaseModelOutput

    states = network.read(ids, mask)
    sequences = network.backbone.generate(
        encoder_outputs=BaseModelOutput(last_hidden_state=states),
        attention_mask=mask.long(),
        decoder_input_ids=torch.tensor(tokens.opening, device=ids.device).expand(len(ids), -1),
        generation_config=options,
    )
    answers = [_until(tokens.end, sequence) for sequence in sequences[:, len(tokens.opening) :].tolist()]
    inputs, wanted = (part.to(ids.device) for part in paired(answers, tokens.opening, tokens.filler))
    likely = network(states, mask, inputs, wanted).sum(dim=1).tolist()
    return [Written(tokens.text(answer), sum_, len(answer)) for answer, sum_ in zip(answers, likely, strict=True)]


def _until(end: int, sequence: list[int]) -> list[int]:
    """The tokens up to the end, if it ever came."""
    return sequence[: sequence.index(end) + 1] if end in sequence else sequence
