"""What the teacher costs: estimated before it is asked, counted from its replies afterwards."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NamedTuple

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

CHARACTERS_A_TOKEN = 4
"""About how many there are, in English."""
_FREE_TEXT = "x" * 200
_MOST = 10**9
"""Tokens that no request can use: an endpoint that reports more does not know."""


class Tokens(NamedTuple):
    """Tokens read and tokens written by the teacher."""

    input: int
    output: int

    def plus(self, other: "Tokens") -> "Tokens":
        """These and others together."""
        return Tokens(self.input + other.input, self.output + other.output)

    def minus(self, other: "Tokens") -> "Tokens":
        """These without others."""
        return Tokens(self.input - other.input, self.output - other.output)

    def usage(self) -> dict[str, int]:
        """As an endpoint would write them."""
        return {"prompt_tokens": self.input, "completion_tokens": self.output}

    @property
    def total(self) -> int:
        """Read and written together."""
        return self.input + self.output


NO_TOKENS = Tokens(0, 0)


@dataclass(frozen=True, slots=True)
class Price:
    """What a teacher charges, in USD for a million tokens.

    Attributes:
        input: For a million tokens read.
        output: For a million tokens written.
        batch: The share of both that is charged for what goes by batch; half at most providers.
    """

    input: Annotated[float, Field(ge=0)]
    output: Annotated[float, Field(ge=0)]
    batch: Annotated[float, Field(ge=0, le=1)] = 0.5

    @model_validator(mode="before")
    @classmethod
    def _as_written(cls, written: Any) -> Any:
        if isinstance(written, int | float | str):
            raise PydanticCustomError("price", "expected USD for a million tokens: {input: 0.40, output: 1.60}")
        return written

    @property
    def by_batch(self) -> "Price":
        """What is charged for what goes by batch."""
        return Price(self.input * self.batch, self.output * self.batch)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What asking the teacher would take, worked out without asking it.

    Attributes:
        rows: How many texts there are.
        cached: How many of them need no asking, since replies in the store settle them.
        to_ask: How many requests would be sent, at the least; a reply that is no answer is asked for once more.
        tokens: What these requests would read and write.
        estimated: Whether ``tokens`` is an estimate (four characters to a token) rather than a count.
    """

    rows: int
    cached: int
    to_ask: int
    tokens: Tokens
    estimated: bool = True


def usage_tokens(completion: Mapping[str, Any] | None) -> Tokens | None:
    """The tokens that a completion reports; None where it reports none, or what cannot be."""
    usage = None if completion is None else completion.get("usage")
    if not isinstance(usage, dict):
        return None
    read, written = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if type(read) is not int or type(written) is not int:
        return None
    return Tokens(read, written) if min(read, written) >= 0 and max(read, written) <= _MOST else None


def summed(first: Tokens | None, second: Tokens | None) -> Tokens | None:
    """Two counts together; None where one of them is not known."""
    return None if first is None or second is None else first.plus(second)


def estimated_reply_tokens(schema: Mapping[str, Any]) -> int:
    """The tokens in a reply of this JSON schema, with its longest choices and 200 characters for any free text."""
    return -(-len(str(_longest(schema))) // CHARACTERS_A_TOKEN)


def cost_usd(tokens: Tokens | None, price: Price | None) -> float | None:
    """What so many tokens cost, in USD; None where the tokens or the price are not known."""
    if tokens is None or price is None:
        return None
    return (tokens.input * price.input + tokens.output * price.output) / 1_000_000


def _longest(schema: Mapping[str, Any]) -> Any:
    """About the longest value that fits a schema."""
    if "enum" in schema:
        return max(schema["enum"], key=lambda choice: len(str(choice)))
    if schema.get("type") == "object":
        return {name: _longest(part) for name, part in schema.get("properties", {}).items()}
    if schema.get("type") == "array":
        return [_longest(schema.get("items", {}))] * 3
    return _FREE_TEXT if schema.get("type") == "string" else 0
