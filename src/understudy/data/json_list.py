"""JSON lists of any length, one element at a time: exports of whole projects are a single list."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from understudy.data.files import json_line, reading
from understudy.errors import DataError
from understudy.words import quoted

_CHUNK = 1 << 16
"""Characters read at a time."""
_LONGEST = 10_000_000
"""Characters in an element; a longer one is rather a bracket that was never closed."""
_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def read_list(path: Path) -> Iterator[tuple[int, Any]]:
    """Every element of the JSON list in a file with its number in the list, from 1 on, one at a time.

    A file of JSON lines is read as the list of these, since many a program writes such into a ``.json`` file.

    Raises:
        DataError: The file is missing, not UTF-8, or not a JSON list of objects or lists.
    """
    with reading(path) as file:
        text = _Text(path, file)
        yield from enumerate(_objects(text) if text.peek() == "{" else _elements(text), start=1)


def json_lines(records: Iterable[Mapping[str, Any]], *, listed: bool) -> Iterator[str]:
    """Records as JSON, each on a line of its own.

    Args:
        records: The records.
        listed: Whether the lines are to be one list together.
    """
    if not listed:
        yield from map(json_line, records)
        return
    yield "["
    for number, record in enumerate(records):
        yield f"{',' if number else ''}\n{json_line(record).rstrip()}"
    yield "\n]\n"


def _elements(text: "_Text") -> Iterator[Any]:
    """The elements of a list."""
    text.expect("[")
    following = text.peek()
    while following != "]":
        yield text.element()
        following = text.peek()
        if following != "]":
            text.expect(",")
    text.expect("]")
    text.expect("")


def _objects(text: "_Text") -> Iterator[Any]:
    """The objects that stand one after the other."""
    while text.peek():
        yield text.element()


class _Text:
    """The text of a file, of which only what is not yet read through is held."""

    def __init__(self, path: Path, file: IO[str]) -> None:
        self._path = path
        self._file = file
        self._held = ""
        self._at = 0
        self._number = 0

    def peek(self) -> str:
        """The next character that is no white space; nothing at the end of the file."""
        while True:
            space = _SPACE.match(self._held, self._at)
            self._at = space.end() if space else self._at
            if self._at < len(self._held) or not self._read_on():
                return self._held[self._at : self._at + 1]

    def expect(self, mark: str) -> None:
        """Pass over this character."""
        found = self.peek()
        if found != mark:
            wanted = repr(mark) if mark else "the end of the file"
            raise DataError(f"{self._path}: not a JSON list (found {found!r}, where {wanted} was expected)")
        self._at += len(mark)

    def element(self) -> Any:
        """Read one object or list."""
        self._number += 1
        if self.peek() not in ("{", "["):
            found = quoted(self._held[self._at : self._at + 20])
            raise DataError(f"{self._path}: item {self._number}: found {found}; expected an object or a list")
        while True:
            try:
                value, self._at = _DECODER.raw_decode(self._held, self._at)
            except (ValueError, RecursionError) as error:  # cut off in the middle, or broken
                too_long = len(self._held) - self._at > _LONGEST
                if too_long or isinstance(error, RecursionError) or not self._read_on():
                    raise DataError(f"{self._path}: item {self._number}: not JSON ({error})") from None
            else:
                return value

    def _read_on(self) -> bool:
        """Hold more of the file, twice as much as before, so that a long element is tried a few times only."""
        rest = self._held[self._at :]
        chunk = self._file.read(max(_CHUNK, len(rest)))
        self._held, self._at = rest + chunk, 0
        return bool(chunk)
