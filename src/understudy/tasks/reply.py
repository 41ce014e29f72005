"""Reading a reply that must be one JSON object: strictly, with a reason that helps to do better where it is none.

Nothing is guessed at or repaired. A reply that needs repair comes from a model that did not do as it was told, and
what else it got wrong nobody knows; asked again with the reason, it mostly does as it should. The thoughts of a
reasoning model, which some servers leave before the reply, are no part of it.
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from understudy.errors import ParseError
from understudy.words import quoted

REASONING = "reasoning"
"""The key under which any reply may say how it came to its answer."""

_LONGEST = 1_000_000
"""Replies of more characters are not looked at: no model writes one on purpose."""
_SPACE = " \t\n\r"
_THOUGHTS, _THOUGHTS_END = "<think>", "</think>"
_KINDS = {list: "list", str: "string", bool: "true or false", int: "number", float: "number", type(None): "null"}


def read_object(reply: str, keys: Sequence[str], form: str) -> dict[str, Any]:
    """The one JSON object that a reply consists of, with these keys, and perhaps reasoning (text) beside them.

    Args:
        reply: The reply as it came.
        keys: The keys that the object must have.
        form: How it should look, for the message: ``{"label": ...}``.

    Raises:
        ParseError: The reply is anything else; the message says what, and repeats the form.
    """
    try:
        found = _object(reply)
        check_keys(found, keys, allowed=[REASONING])
        if not isinstance(found.get(REASONING, ""), str):
            raise ParseError(f"{REASONING} is no text")
    except ParseError as error:
        raise ParseError(f"{error}; expected {form}") from None
    return found


def reasoning(reply: str) -> str:
    """How a reply says that it came to its answer; empty where it says nothing of it, or is no JSON object."""
    try:
        said = _object(reply).get(REASONING)
    except ParseError:
        return ""
    return said.strip() if isinstance(said, str) else ""


def check_keys(found: dict[str, Any], keys: Sequence[str], allowed: Iterable[str] = ()) -> None:
    """Make sure that an object has these keys, and none but these and the allowed ones.

    Raises:
        ParseError: A key is missing or unknown.
    """
    for key in keys:
        if key not in found:
            raise ParseError(f"no {key}")
    for key in found:
        if key not in keys and key not in allowed:
            raise ParseError(f"unknown key {quoted(key)}")


def _object(reply: str) -> dict[str, Any]:
    """The object that a reply consists of, whatever its keys."""
    return _decoded(_without_thoughts(reply.strip(_SPACE)))


def _without_thoughts(reply: str) -> str:
    """The reply itself, behind the block of thoughts that some servers leave before it."""
    if not reply.startswith(_THOUGHTS):
        return reply
    _, end, said = reply.partition(_THOUGHTS_END)
    if not end:
        raise ParseError("cut off before its thoughts had ended")
    return said.lstrip(_SPACE)


def _decoded(reply: str) -> dict[str, Any]:
    """The object that the reply is, or why it is none."""
    if not reply:
        raise ParseError("empty")
    if len(reply) > _LONGEST:
        raise ParseError(f"{len(reply):,} characters long")
    if reply.startswith("```"):
        raise ParseError("wrapped in a Markdown fence")
    try:
        value, end = _DECODER.raw_decode(reply)
    except json.JSONDecodeError as error:
        raise ParseError(_flaw(reply, error)) from None
    except RecursionError:
        raise ParseError("not JSON (nested too deeply)") from None
    except ValueError:  # a number of more digits than Python will read
        raise ParseError("not JSON (a number too long)") from None
    if end < len(reply):
        raise ParseError(_surroundings(reply))
    if not isinstance(value, dict):
        raise ParseError(f"a JSON {_KINDS[type(value)]} instead of an object")
    return value


def _flaw(reply: str, error: json.JSONDecodeError) -> str:
    """What is wrong with a reply that cannot be decoded."""
    if not reply.startswith("{"):
        return _surroundings(reply)
    if error.pos >= len(reply) or error.msg.startswith("Unterminated string"):
        return "cut off in the middle"
    return f"not JSON ({error.msg[0].lower()}{error.msg[1:]} at character {error.pos})"


def _surroundings(reply: str) -> str:
    """What stands around the object."""
    if reply.startswith("{"):
        return "something after the JSON object"
    return "something before the JSON object" if "{" in reply else "not JSON"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object out of its pairs: of a key that stands twice, nobody knows which is meant."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ParseError(f"the key {quoted(key)} stands twice")
        found[key] = value
    return found


def _no_constant(name: str) -> Any:
    raise ParseError(f"not JSON ({name} is no value in it)")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)
