"""What a request wants of a model in this process, and what the model writes, as an OpenAI chat completion."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from understudy.teacher.channel import RequestFailed
from understudy.teacher.request import Body, content_key

_LEAST = -9999.0
"""What OpenAI gives for the logarithm of no probability at all; JSON knows no infinity."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One token that was written, with what else might have stood there.

    Attributes:
        token: Its text.
        logprob: The natural logarithm of its probability, before temperature.
        alternatives: The likeliest tokens in its place, likeliest first, with theirs.
    """

    token: str
    logprob: float
    alternatives: Sequence[tuple[str, float]]

    def to_json(self) -> dict[str, Any]:
        """An entry of ``logprobs.content`` in OpenAI's format."""
        others = [_likelihood(token, logprob) for token, logprob in self.alternatives]
        return {**_likelihood(self.token, self.logprob), "top_logprobs": others}


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What a model wrote in answer to one request.

    Attributes:
        text: The reply.
        ended: Whether the model ended it, rather than being cut off at a limit.
        prompt_tokens: How many tokens it read, the chat template's among them.
        completion_tokens: How many it wrote, the one that ends the reply among them.
        choices: The tokens of the text one by one; None where the request did not want their probabilities.
    """

    text: str
    ended: bool
    prompt_tokens: int
    completion_tokens: int
    choices: Sequence[Choice] | None = None

    def to_json(self, model: str) -> dict[str, Any]:
        """The chat completion as an endpoint would send it."""
        wanted = None if self.choices is None else {"content": [choice.to_json() for choice in self.choices]}
        return {
            "object": "chat.completion",
            "model": model,
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": self.text},
                    "logprobs": wanted,
                    "finish_reason": "stop" if self.ended else "length",
                }
            ],
            "usage": {
                "prompt_tokens": self.prompt_tokens,
                "completion_tokens": self.completion_tokens,
                "total_tokens": self.prompt_tokens + self.completion_tokens,
            },
        }


Generate = Callable[[Sequence[Body]], list[Completion | RequestFailed]]
"""A model that is ready: a batch of requests in, what came of each out, in order."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a request wants its reply written.

    Attributes:
        max_tokens: The most tokens to write.
        temperature: How freely to draw each token (Ackley et al. 1985); 0 takes the likeliest.
        seed: What the draws follow from: the request's ``seed`` and its messages, so that no two texts share theirs.
        alternatives: How many of the likeliest tokens to list beside each; None wants no probabilities.
    """

    max_tokens: int
    temperature: float
    seed: int
    alternatives: int | None

    @classmethod
    def of(cls, body: Body, max_tokens: int) -> "Wishes":
        """The wishes in a request's body; without a temperature there are no draws.

        Args:
            body: The request.
            max_tokens: What holds where it names no limit.
        """
        source = content_key({"messages": body["messages"], "seed": body.get("seed")})
        return cls(
            max_tokens=body.get("max_tokens") or max_tokens,
            temperature=body.get("temperature") or 0.0,
            seed=int.from_bytes(source[:7], "big"),
            alternatives=(body.get("top_logprobs") or 0) if body.get("logprobs") else None,
        )


def _likelihood(token: str, logprob: float) -> Mapping[str, Any]:
    """A token with its log-probability; no bytes where it is but a piece of a character, which has no text."""
    whole = "\ufffd" not in token
    return {
        "token": token,
        "logprob": max(logprob, _LEAST),
        "bytes": list(token.encode("utf-8")) if whole else None,
    }
