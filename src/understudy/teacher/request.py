"""What the teacher is asked, and the key under which its reply is kept.

A request's body is its identity: the same model, messages and schema are the same question, whoever asks, and are
paid for once.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from understudy.errors import DataError
from understudy.tasks.task import Task

Body = Mapping[str, Any]
"""The JSON body of a request to ``/chat/completions``."""

# Released like a prompt, so never edited: replies paid for lie under bodies that hold it.
_CORRECTION = "That reply cannot be used: {reason}. Reply again, in the form asked for and with nothing else."
_QUOTED = 2_000
"""How many characters of a bad reply are sent back with the correction: a runaway reply is not paid for twice."""


def request_body(task: Task, model: str, text: str) -> dict[str, Any]:
    """The request for one text: the task's messages, and the schema that the reply must satisfy."""
    reply = task.reply_schema
    return {
        "model": model,
        "messages": [dict(message) for message in task.messages(text)],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": reply.name, "strict": True, "schema": reply.schema},
        },
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


def content_key(body: Body) -> str:
    """The SHA-256, in hexadecimal, of a request body as canonical JSON (sorted keys, no spaces, UTF-8).

    Raises:
        DataError: The body holds half a character (a lone surrogate), which no request can carry.
    """
    try:
        canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise DataError("a request holds half a character (a lone surrogate); expected whole Unicode text") from None
    return hashlib.sha256(canonical).hexdigest()


def difference(asked: Body, recorded: Body) -> str:
    """In which part a request differs from a recorded one, the likeliest mistake first, for an error message."""
    if asked["model"] != recorded.get("model"):
        return f"the model asked for is {asked['model']!r}, the recorded one {recorded.get('model')!r}"
    if asked["response_format"] != recorded.get("response_format"):
        return "the reply schema differs (other labels, or in another order)"
    if _instructions(asked) != _instructions(recorded):
        return "the prompt differs (another version, or other descriptions of the labels)"
    return "model, schema and instructions are the recorded ones, so the texts or the user message differ"


def _instructions(body: Body) -> list[Any]:
    messages = body.get("messages")
    parts = messages if isinstance(messages, list) else []
    return [part for part in parts if isinstance(part, dict) and part.get("role") == "system"]
