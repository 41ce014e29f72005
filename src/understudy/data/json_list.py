"""JSON lists of any length, read one element at a time: exports of whole projects are a single list."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from understudy.data.files import reading
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

    Raises:
        DataError: The file is missing, not UTF-8, or not a JSON list of objects or lists.
    """
    with reading(path) as file:
        text = _Text(path, file)
        text.expect("[")
        number, following = 0, text.peek()
        while following != "]":
            number += 1
            yield number, text.element(number)
            following = text.peek()
            if following != "]":
                text.expect(",")
        text.expect("]")
        text.expect("")


class _Text:
    """The text of a file, of which only what is not yet read through is held."""

    def __init__(self, path: Path, file: IO[str]) -> None:
        self._path = path
        self._file = file
        self._held = ""
        self._at = 0

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

    def element(self, number: int) -> Any:
        """Read one object or list."""
        if self.peek() not in ("{", "["):
            found = quoted(self._held[self._at : self._at + 20])
            raise DataError(f"{self._path}: item {number}: found {found}; expected an object or a list")
        while True:
            try:
                value, self._at = _DECODER.raw_decode(self._held, self._at)
            except (ValueError, RecursionError) as error:  # cut off in the middle, or broken
                too_long = len(self._held) - self._at > _LONGEST
                if too_long or isinstance(error, RecursionError) or not self._read_on():
                    raise DataError(f"{self._path}: item {number}: not JSON ({error})") from None
            else:
                return value

    def _read_on(self) -> bool:
        """Hold more of the file, twice as much as before, so that a long element is tried a few times only."""
        rest = self._held[self._at :]
        chunk = self._file.read(max(_CHUNK, len(rest)))
        self._held, self._at = rest + chunk, 0
        return bool(chunk)
