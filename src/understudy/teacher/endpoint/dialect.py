"""What an endpoint does not take of a request, found out from its refusals and remembered.

What is asked stays the same, and with it the key of the reply; only how it is put to this endpoint changes.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from understudy.data.files import read_json, write_json
from understudy.errors import DataError
from understudy.teacher.endpoint.endpoint import Structure
from understudy.teacher.request import Body

Wire = dict[str, Any]
"""A request's body as it is sent."""


class _Concession(NamedTuple):
    """One thing that an endpoint may not take.

    Attributes:
        told_by: What a refusal speaks of that this would answer.
        change: The body without it; None where there is nothing to change.
        notice: What to tell the user.
    """

    told_by: re.Pattern[str]
    change: Callable[[Wire], Wire | None]
    notice: str


def _json_mode(body: Wire) -> Wire | None:
    if body.get("response_format", {}).get("type") != "json_schema":
        return None
    return {**body, "response_format": {"type": "json_object"}}


def _rename_max_tokens(body: Wire) -> Wire | None:
    if "max_tokens" not in body:
        return None
    rest = {name: value for name, value in body.items() if name != "max_tokens"}
    return {**rest, "max_completion_tokens": body["max_tokens"]}


def _without(*names: str) -> Callable[[Wire], Wire | None]:
    def change(body: Wire) -> Wire | None:
        if not any(name in body for name in names):
            return None
        return {name: value for name, value in body.items() if name not in names}

    return change


_STRUCTURE = re.compile("response_format|json_schema|json_object|schema|structured|guided|grammar", re.IGNORECASE)
_STRUCTURED = ("json_object", "text")
_CONCESSIONS: Mapping[str, _Concession] = {
    "json_object": _Concession(_STRUCTURE, _json_mode, "takes no JSON schema; it is asked in JSON mode"),
    "text": _Concession(
        _STRUCTURE, _without("response_format"), "takes no response_format; it is asked for JSON by the prompt alone"
    ),
    "max_completion_tokens": _Concession(
        re.compile("max_tokens"), _rename_max_tokens, "takes max_completion_tokens, not max_tokens"
    ),
    "no_temperature": _Concession(
        re.compile("temperature"), _without("temperature"), "takes no temperature; its own is used"
    ),
    "no_seed": _Concession(re.compile(r"\bseed\b"), _without("seed"), "takes no seed"),
    "no_logprobs": _Concession(
        re.compile("logprobs"), _without("logprobs", "top_logprobs"), "gives no logprobs; there are no soft labels"
    ),
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How an endpoint is spoken to: the concessions that are made to it.

    Attributes:
        concessions: Their names, in the order in which they are made.
    """

    concessions: tuple[str, ...] = ()

    @classmethod
    def of(cls, structure: Structure) -> "Dialect | None":
        """The dialect that a user has asked for; None where it is to be found out."""
        wanted = {"json_schema": (), "json_object": ("json_object",), "text": ("json_object", "text")}
        return None if structure == "auto" else cls(wanted[structure])

    @classmethod
    def from_json(cls, value: Any) -> "Dialect":
        """A remembered dialect; what is not known in it is passed over."""
        names = value if isinstance(value, list) else []
        return cls(tuple(name for name in names if isinstance(name, str) and name in _CONCESSIONS))

    @property
    def notices(self) -> list[str]:
        """What to tell the user of each concession."""
        return [_CONCESSIONS[name].notice for name in self.concessions]

    def spoken(self, body: Body, max_tokens: int | None = None) -> Wire:
        """The request's body as this endpoint takes it, its reply limited to so many tokens."""
        limit = {} if max_tokens is None else {"max_tokens": max_tokens}
        wire = {**limit, **body}
        for name in self.concessions:
            wire = _CONCESSIONS[name].change(wire) or wire
        return wire

    def after(self, refusal: str, wire: Wire, *, proven: bool, structured: bool = False) -> "Dialect | None":
        """The dialect to try after a refusal, with one more concession; None where none is left that might help.

        Args:
            refusal: What the endpoint said.
            wire: What it refused.
            proven: Whether it has answered in this dialect before; then only what the refusal names is conceded.
            structured: Whether the form of replies has to stay as it is, because the user wants it so.
        """
        named = [name for name, concession in _CONCESSIONS.items() if concession.told_by.search(refusal)]
        barred = {*self.concessions, *(_STRUCTURED if structured else ())}
        for name in named or ([] if proven else _STRUCTURED):
            if name not in barred and _CONCESSIONS[name].change(wire) is not None:
                return Dialect((*self.concessions, name))
        return None


class Dialects:
    """The dialects that endpoints turned out to speak, remembered in a file.

    Args:
        path: The file, JSON; None remembers nothing.
        name: Whose dialect is meant: an endpoint, and a model there.
    """

    def __init__(self, path: Path | None, name: str) -> None:
        self.path = path
        self.name = name

    def known(self) -> Dialect | None:
        """The dialect that was found out earlier; None where none was, or where the file is broken."""
        found = self._read().get(self.name)
        return Dialect.from_json(found) if found is not None else None

    def keep(self, dialect: Dialect) -> None:
        """Remember the dialect, where there is a place for it; else it is found out anew the next time."""
        if self.path is None or self.known() == dialect:
            return
        with suppress(DataError):
            write_json(self.path, {**self._read(), self.name: list(dialect.concessions)})

    def _read(self) -> dict[str, Any]:
        if self.path is None or not self.path.exists():
            return {}
        try:
            found = read_json(self.path)
        except DataError:
            return {}
        return found if isinstance(found, dict) else {}
