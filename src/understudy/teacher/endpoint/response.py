"""What an endpoint says beside its answers: why it failed, how long to wait. None of it may carry a key onwards."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

_SHOWN = 300
_SECRET_HEADER = re.compile("auth|key|token|secret|cookie", re.IGNORECASE)
_USER = re.compile(r"(?<=//)[^\s/@]+@")
"""User and password in an address, which is spelled anew by whoever quotes it."""
_LONGEST_PLACEHOLDER = 15
"""Keys up to this length (``EMPTY``, ``ollama``) are placeholders that may stand in a reply as ordinary words."""


class Redactor:
    """Takes secrets out of whatever is about to be shown or kept."""

    def __init__(self, secrets: Iterable[str | None]) -> None:
        self._secrets = sorted({secret for secret in secrets if secret}, key=len, reverse=True)

    def clean(self, text: str) -> str:
        """The text for an error message: no secrets, on one line, shortened."""
        for secret in self._secrets:
            text = text.replace(secret, "[redacted]")
        text = _USER.sub("[redacted]@", text)
        text = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
        return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"

    def clean_bytes(self, raw: bytes) -> bytes:
        """A reply for the store: without the secrets, which it has no reason to hold."""
        for secret in self._secrets:
            if len(secret) > _LONGEST_PLACEHOLDER:
                raw = raw.replace(secret.encode("utf-8"), b"[redacted]")
        return raw


def holds_secret(header: str) -> bool:
    """Whether a header of that name carries a key, going by its name."""
    return _SECRET_HEADER.search(header) is not None


def secrets_in(headers: Mapping[str, str]) -> Iterator[str]:
    """What must not be shown of some headers: the values of those that carry keys, with and without a scheme before."""
    for name, value in headers.items():
        if holds_secret(name) and value.split():
            yield value
            yield value.split()[-1]


def said(raw: bytes, redactor: Redactor) -> str:
    """What the endpoint says in a response that is no answer: its error message where it has the usual form."""
    body = _read(raw)
    if isinstance(body, dict):
        error = body.get("error", body)
        message = error.get("message", error.get("detail")) if isinstance(error, dict) else error
        if isinstance(message, str) and message:
            return redactor.clean(message)
    # decoded whole before it is shortened: half a key is still a piece of it
    return redactor.clean(raw.decode("utf-8", "replace")) or "nothing"


def is_api_error(raw: bytes) -> bool:
    """Whether a response is an error as an OpenAI-compatible API puts it, and not that of some other server."""
    body = _read(raw)
    return isinstance(body, dict) and "error" in body


def _read(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def retry_after(value: str | None) -> float | None:
    """The seconds that a ``Retry-After`` header asks for, given as seconds or as an HTTP date; None where neither."""
    if value is None:
        return None
    if re.fullmatch(r"\d{1,9}(\.\d+)?", value.strip()):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
