"""Examples put aside on the disk, for what has to look at them more than once."""

import json
import tempfile
from collections.abc import Iterable, Iterator
from typing import Self

from understudy.example import Example


class Spool:
    """Examples in a temporary file that goes away with it: all of them again, in order, or one by its place.

    Args:
        examples: Put aside at once.
    """

    def __init__(self, examples: Iterable[Example] = ()) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the spool
        for example in examples:
            self.append(example)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __iter__(self) -> Iterator[Example]:
        place = 0
        while True:
            self._file.seek(place)
            line = self._file.readline()
            if not line:
                return
            place += len(line)
            yield Example.from_json(json.loads(line))

    def append(self, example: Example) -> int:
        """Put one more aside; returns its place."""
        place = self._file.seek(0, 2)
        self._file.write(json.dumps(example.to_json()).encode("ascii") + b"\n")
        return place

    def at(self, place: int) -> Example:
        """The example at a place."""
        self._file.seek(place)
        return Example.from_json(json.loads(self._file.readline()))

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()
