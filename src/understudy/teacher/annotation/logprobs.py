"""Soft labels from token probabilities: how likely the teacher was to write each label instead of the one it wrote.

Endpoints that give log-probabilities (OpenAI, vLLM, llama.cpp) list, for every token of a reply, the likeliest tokens
in its place. Read along the label's value, they share out the probability over the labels.
"""

import json
import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

_STRING = r'"(?:[^"\\]|\\.)*+"'
_MOST = 100
"""Alternatives that are looked at for one token; endpoints give at most about twenty."""
_LEAST = -700.0
"""A log-probability counts as at least this, so that what was written never has a probability of zero."""
_ROUNDING = 1e-3
"""By so much an honest log-probability may come out above zero."""

_Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Token:
    """One token of a reply.

    Attributes:
        spelling: Its bytes, which need not be whole characters.
        chances: The probability of each spelling in its place, its own among them.
    """

    spelling: bytes
    chances: Mapping[bytes, float]


def label_distribution(
    choice: Mapping[str, Any], labels: Sequence[str], reply_key: str = "label"
) -> dict[str, float] | None:
    """The teacher's probabilities over labels, as far as the tokens beside those of its reply tell.

    At each token the probability of an alternative goes to the labels that it leaves open: on along the reply where
    they are those that the written token leaves open, else evenly to each of them. An alternative that can begin none
    of the labels is left out, as if the reply had been held to a grammar.

    Args:
        choice: The first choice of a chat completion whose message is a JSON object such as ``{"label": "sport"}``.
        labels: What may stand in it.
        reply_key: The key whose value is the label; before it, only keys whose values are strings.

    Returns:
        The probability of each label that got any, summing to 1; None where there are no log-probabilities, where they
        are not those of the reply, or where the reply holds none of the labels.
    """
    tokens, reply = _tokens(choice), _reply(choice)
    member = _member(reply_key).match(reply)
    if tokens is None or member is None:
        return None
    spelled = b"".join(token.spelling for token in tokens)
    place = spelled.rfind(reply)  # reasoning may stand before it, and an end mark after it
    if place < 0:
        return None
    start, end = member.span("value")
    return _Value(spelled, place + start, place + end, labels).read_along(tokens)


class _Value:
    """The label in a reply, as it is written byte by byte, with its closing quote.

    Args:
        spelled: What all tokens spell.
        start: Where the label begins in that.
        end: Where its closing quote ends.
        labels: What it may be.
    """

    def __init__(self, spelled: bytes, start: int, end: int, labels: Sequence[str]) -> None:
        self.spelled = spelled
        self.start = start
        self.end = end
        self.spellings = {label: _spellings(label) for label in labels}

    def read_along(self, tokens: Sequence[_Token]) -> dict[str, float] | None:
        """A probability of 1, shared out over the labels token by token; None where the value is none of them."""
        shares = dict.fromkeys(self.spellings, 0.0)
        possible, mass, at = tuple(shares), 1.0, 0
        for token in tokens:
            if at >= self.end:
                break
            written = self._left_open(possible, at, token.spelling)
            step = self._step(possible, at, token.chances)
            for open_, chance in step.items():
                if open_ != written:
                    shares.update((label, shares[label] + mass * chance / len(open_)) for label in open_)
            possible, mass, at = written, mass * step.get(written, 0.0), at + len(token.spelling)
        if len(possible) != 1:
            return None
        shares[possible[0]] += mass
        return {label: share for label, share in shares.items() if share > 0}

    def _step(self, possible: _Labels, at: int, chances: Mapping[bytes, float]) -> dict[_Labels, float]:
        """How likely the token at a place is to leave open which labels, summing to 1."""
        step: defaultdict[_Labels, float] = defaultdict(float)
        for spelling, chance in chances.items():
            if open_ := self._left_open(possible, at, spelling):
                step[open_] += chance
        total = sum(step.values())
        return {open_: chance / total for open_, chance in step.items()}

    def _left_open(self, possible: _Labels, at: int, spelling: bytes) -> _Labels:
        """Which of the possible labels the value can still become with this spelling at a place; none if it is off."""
        before = self.spelled[at : min(self.start, at + len(spelling))]
        if not spelling.startswith(before):
            return ()
        value = self.spelled[self.start : at] + spelling[len(before) :]
        if not value:
            return possible
        return tuple(label for label in possible if any(_agree(value, whole) for whole in self.spellings[label]))


def _agree(first: bytes, second: bytes) -> bool:
    return first.startswith(second) or second.startswith(first)


def _spellings(label: str) -> set[bytes]:
    """The ways in which JSON writers spell a label, with its closing quote."""
    return {json.dumps(label, ensure_ascii=ascii_).encode("utf-8", "surrogatepass")[1:] for ascii_ in (False, True)}


def _member(key: str) -> re.Pattern[bytes]:
    """A JSON object up to a key with a string for a value, whose letters and closing quote are the group ``value``."""
    name = re.escape(json.dumps(key, ensure_ascii=False))
    value = f'"(?P<value>{_STRING[1:]})'
    return re.compile(rf"\s*\{{(?:\s*{_STRING}\s*:\s*{_STRING}\s*,)*\s*{name}\s*:\s*{value}".encode(), re.DOTALL)


def _reply(choice: Mapping[str, Any]) -> bytes:
    message = choice.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    return content.encode("utf-8", "surrogatepass") if isinstance(content, str) else b""


def _tokens(choice: Mapping[str, Any]) -> list[_Token] | None:
    """The tokens of a reply with their alternatives; None where they are missing or broken."""
    logprobs = choice.get("logprobs")
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    if not isinstance(content, list):
        return None
    try:
        return [_token(entry) for entry in content]
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _token(entry: Any) -> _Token:
    chances = dict(_chance(alternative) for alternative in islice(entry.get("top_logprobs") or (), _MOST))
    spelling, chance = _chance(entry)
    return _Token(spelling, {**chances, spelling: chance})


def _chance(entry: Any) -> tuple[bytes, float]:
    """The spelling and the probability of a token or an alternative.

    Raises:
        ValueError: The log-probability is not one; broken entries raise what they happen to raise.
    """
    logprob = entry["logprob"]
    if not isinstance(logprob, int | float) or not logprob <= _ROUNDING:
        raise ValueError("not a log-probability")
    spelling = entry.get("bytes")
    if not isinstance(spelling, list):  # null where an endpoint does not give them
        spelling = entry["token"].encode("utf-8", "surrogatepass")
    return bytes(spelling), math.exp(min(max(logprob, _LEAST), 0.0))
