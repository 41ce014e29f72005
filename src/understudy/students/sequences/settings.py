"""How a sequence model starts, learns and writes, as a recipe says it."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from understudy.students.pretrained import Kind
from understudy.students.ranges import Count, PositiveInt
from understudy.training.regimen import Regimen

Length = Annotated[int, Field(ge=8)]
"""Tokens: room for what stands around a text, and some of it."""

Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
"""How much something counts; 0 for not at all."""

LengthPenalty = Annotated[float, Field(allow_inf_nan=False)]
Vocabulary = Annotated[int, Field(ge=300)]
"""A byte-level vocabulary holds each of the 256 bytes."""


@with_config(ConfigDict(extra="forbid"))
class Sizes(TypedDict, total=False):
    """The sizes of a model that starts from nothing.

    Attributes:
        d_model: Numbers in a state (128); the heads divide it.
        layers: Layers of the encoder, and of the decoder (2).
        heads: Attention heads (4).
        vocabulary: The most tokens (8,000).
    """

    d_model: PositiveInt
    layers: PositiveInt
    heads: PositiveInt
    vocabulary: Vocabulary


@with_config(ConfigDict(extra="forbid"))
class Search(TypedDict, total=False):
    """How an answer is looked for.

    Attributes:
        beams: Answers that are followed side by side (1: the likeliest next token is taken each time).
        length_penalty: Above 0, beam search likes long answers; below, short ones (1.0, the mean over the tokens).
        no_repeat_ngram: No run of so many tokens stands twice in an answer (0: any may).
    """

    beams: PositiveInt
    length_penalty: LengthPenalty
    no_repeat_ngram: Count


USUAL_SIZES: Sizes = {"d_model": 128, "layers": 2, "heads": 4, "vocabulary": 8_000}
GREEDY: Search = {"beams": 1, "length_penalty": 1.0, "no_repeat_ngram": 0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """All that a sequence model is built with, whatever it writes.

    Attributes:
        family: ``t5`` or ``bart``: what is built from scratch.
        kind: What it may start from.
        model: ``scratch``, ``bundled``, a local folder or a name on the hub.
        sizes: Those of a start from scratch.
        prefix: What stands before every text.
        max_source: Tokens read of a text, prefix and marks among them.
        max_target: Tokens in an answer.
        search: How an answer is looked for.
        rationale_weight: How much the teacher's reasoning counts beside its answer; 0 leaves it out.
        accumulate: In how many parts an optimiser step is computed.
        regimen: How it is trained.
    """

    family: Literal["t5", "bart"]
    kind: Kind
    model: str
    sizes: Sizes
    prefix: str
    max_source: int
    max_target: int
    search: Search
    rationale_weight: float
    accumulate: int
    regimen: Regimen
