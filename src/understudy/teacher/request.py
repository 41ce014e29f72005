"""What the teacher is asked, and the key under which its reply is kept.

A request's body is its identity: the same model, messages and schema are the same question, whoever asks, and are
paid for once.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from understudy.errors import DataError
from understudy.tasks.task import Message, ReplySchema

Body = Mapping[str, Any]
"""The JSON body of a request to ``/chat/completions``."""

# Released like a prompt, so never edited: replies paid for lie under bodies that hold it.
_CORRECTION = "That reply cannot be used: {reason}. Reply again, in the form asked for and with nothing else."
_ALTERNATIVES = 10
"""How many alternatives to each token are asked for."""
_QUOTED = 2_000
"""How many characters of a bad reply are sent back with the correction: a runaway reply is not paid for twice."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a reply is drawn; what is None is left to the endpoint, and does not stand in the request.

    Attributes:
        temperature: The sampling temperature.
        seed: Tells votes apart that are otherwise the same request.
        logprobs: Whether log-probabilities are asked for.
    """

    temperature: float | None = None
    seed: int | None = None
    logprobs: bool = False

    def fields(self) -> dict[str, Any]:
        """What it adds to a request's body."""
        found: dict[str, Any] = {"temperature": self.temperature, "seed": self.seed}
        if self.logprobs:
            found |= {"logprobs": True, "top_logprobs": _ALTERNATIVES}
        return {name: value for name, value in found.items() if value is not None}


def request_body(
    model: str, messages: Sequence[Message], reply: ReplySchema, sampling: Sampling = Sampling()
) -> dict[str, Any]:
    """A request: who is asked, what, how the reply is drawn, and the schema that it must satisfy."""
    return {
        "model": model,
        "messages": [dict(message) for message in messages],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": reply.name, "strict": True, "schema": reply.schema},
        },
        **sampling.fields(),
    }


def correction(body: Body, reply: str, reason: str) -> dict[str, Any]:
    """The request that follows a reply that was no answer: the same again, the bad reply, and what was wrong with it.

    Args:
        body: The request that was replied to.
        reply: The raw reply; where it is empty it is left out, since endpoints refuse an empty message.
        reason: Why it cannot be used, as a clause without a full stop.
    """
    messages = list(body["messages"])
    if reply.strip():
        messages.append({"role": "assistant", "content": reply[:_QUOTED]})
    messages.append({"role": "user", "content": _CORRECTION.format(reason=reason)})
    return {**body, "messages": messages}


def content_key(body: Body) -> bytes:
    """The SHA-256 of a request body as canonical JSON (sorted keys, no spaces, UTF-8): the same question, the same key.

    Raises:
        DataError: The body holds half a character (a lone surrogate), which no request can carry.
    """
    try:
        canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise DataError("a request holds half a character (a lone surrogate); expected whole Unicode text") from None
    return hashlib.sha256(canonical).digest()


def answered_key(content: bytes, answerer: str | None) -> bytes:
    """The key of a reply: of what was asked, and of who answered; a model's name alone may mean another elsewhere.

    Args:
        content: The content key of the request.
        answerer: The channel's name; None where that is not known, as in a recording.
    """
    return content if answerer is None else hashlib.sha256(answerer.encode("utf-8") + b"\n" + content).digest()


def difference(asked: Body, recorded: Body) -> str:
    """In which part a request differs from a recorded one, the likeliest mistake first, for an error message."""
    if asked["model"] != recorded.get("model"):
        return f"the model asked for is {asked['model']!r}, the recorded one {recorded.get('model')!r}"
    if asked["response_format"] != recorded.get("response_format"):
        return "the reply schema differs (other labels, or in another order)"
    if _instructions(asked) != _instructions(recorded):
        return "the prompt differs (another version, or other descriptions of the labels)"
    settings = sorted(name for name in {*asked, *recorded} - {"messages"} if asked.get(name) != recorded.get(name))
    if settings:
        return f"the recorded requests differ in {', '.join(settings)}"
    return "model, schema and instructions are the recorded ones, so the texts or the user message differ"


def _instructions(body: Body) -> list[Any]:
    messages = body.get("messages")
    parts = messages if isinstance(messages, list) else []
    return [part for part in parts if isinstance(part, dict) and part.get("role") == "system"]
