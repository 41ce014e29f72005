"""Word vectors that others have learned from far more text, read from a file: GloVe's, word2vec's or fastText's."""

import gzip
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from understudy.errors import ModelError
from understudy.words import quoted

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    Vector = NDArray[np.float32]

_LONGEST = 1_000_000
"""Bytes in a line; what is longer is no vector."""

_GREATEST = 1e6
"""Numbers of a vector are far smaller; one that is not would drown all others."""

_LOOKED_AT = 100
"""Lines that are read to find out whether a file holds vectors."""

_WANTED = "expected a word and its numbers on every line, with spaces between them"


def read_vectors(path: Path, words: Collection[str]) -> "dict[str, Vector]":
    """The vectors of some words, as far as a file has them; a word that it lacks has that of its lower-case form.

    Read line by line, so that a file of any size will do. Of a word that stands there twice, the first counts.

    Args:
        path: Text as of GloVe (Pennington et al. 2014), or with word2vec's header line; compressed where its name ends
            in ``.gz``.
        words: Those that are wanted.

    Returns:
        For each word found its vector, shape (size,).

    Raises:
        ModelError: The file cannot be read, a line is no vector, or none is of these words.
    """
    wanted = {*words, *(word.lower() for word in words)}
    found: dict[str, Vector] = {}
    for where, word, numbers in _rows(path):
        if word in wanted and word not in found:
            found[word] = _vector(numbers, where)
    forms = {word: word if word in found else word.lower() for word in words}
    vectors = {word: found[form] for word, form in forms.items() if form in found}
    if not vectors:
        raise ModelError(f"{path}: no word of the texts has a vector in it; expected vectors of their language")
    return vectors


def check_vectors(path: Path) -> None:
    """Make sure that a file begins like one of word vectors.

    Raises:
        ModelError: It cannot be read, or holds something else.
    """
    looked_at = [_vector(numbers, where) for where, _, numbers in islice(_rows(path), _LOOKED_AT)]
    if not looked_at:
        raise ModelError(f"{path}: no vectors in it; {_WANTED}")


def adopt_vectors(vectors: "Mapping[str, Vector]", words: Sequence[str], table: "Tensor") -> None:
    """Let the words that have a vector start from it.

    Args:
        vectors: What `read_vectors` found.
        words: Those of the table's last rows, in order.
        table: Shape (numbers, size of a vector); changed in place.
    """
    import torch

    rows = table.detach()[len(table) - len(words) :]
    for row, word in zip(rows, words, strict=True):
        if word in vectors:
            row.copy_(torch.from_numpy(vectors[word]))


def size_of(vectors: "Mapping[str, Vector]", usual: int) -> int:
    """How many numbers each vector has; as usual where there are none."""
    return next((len(vector) for vector in vectors.values()), usual)


def _rows(path: Path) -> Iterator[tuple[str, str, list[bytes]]]:
    """Where each line stands, its word and its numbers, which are equally many on all of them.

    A word may hold spaces, as some of GloVe's do.
    """
    size = 0
    for number, line in _lines(path):
        fields, where = line.rstrip().split(b" "), f"{path}:{number}"
        if number == 1 and _is_header(fields):
            size = int(fields[1])
            continue
        size = size or len(fields) - 1
        word, numbers = fields[: len(fields) - size], fields[len(fields) - size :]
        if not size or not word or (len(word) > 1 and _is_number(word[-1])):
            raise ModelError(f"{where}: not as many numbers as on the lines before ({size}); {_WANTED}")
        yield where, _decoded(b" ".join(word), where), numbers


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that may be compressed, numbered from 1."""
    try:
        with cast("IO[bytes]", gzip.open(path) if path.suffix == ".gz" else path.open("rb")) as file:
            lines = iter(lambda: file.readline(_LONGEST + 1), b"")
            for number, line in enumerate(lines, start=1):
                if len(line) > _LONGEST:
                    raise ModelError(f"{path}:{number}: a line of over {_LONGEST:,} bytes; {_WANTED}")
                yield number, line
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise ModelError(f"{path}: cannot be read ({reason}); check the path of the vectors") from None


def _is_header(fields: Sequence[bytes]) -> bool:
    """Whether a first line says how many words there are, and how many numbers each has."""
    return len(fields) == 2 and all(field.isdigit() and len(field) < 10 for field in fields)


def _is_number(field: bytes) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _decoded(word: bytes, where: str) -> str:
    try:
        return word.decode("utf-8")
    except UnicodeDecodeError:
        raise ModelError(f"{where}: not UTF-8 text ({quoted(repr(word))}); save the vectors as UTF-8") from None


def _vector(numbers: Sequence[bytes], where: str) -> "Vector":
    import numpy as np

    try:
        vector = np.array([float(number) for number in numbers])
    except ValueError as error:
        raise ModelError(f"{where}: not numbers ({quoted(str(error))}); {_WANTED}") from None
    if not (np.abs(vector) < _GREATEST).all():
        raise ModelError(f"{where}: a number that is none, or far too great ({np.abs(vector).max()}); {_WANTED}")
    return vector.astype(np.float32)
