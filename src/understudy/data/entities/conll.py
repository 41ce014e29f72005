"""CoNLL columns: a token and its tag in a line, an empty line between sentences."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from understudy.data.entities.marked import MarkedText, known
from understudy.data.entities.tags import BARE, Scheme, Survey, spans_of, tagged
from understudy.data.files import reading
from understudy.errors import DataError
from understudy.example import is_whole
from understudy.words import quoted

Row = tuple[int, dict[str, Any] | DataError]
"""A row and the line that it begins on, or what is wrong with it and the line where that stands."""

_LONGEST = 100_000
"""Tokens in a text; more are rather a file without empty lines."""
_LOOKED_AT = 100
"""So many lines of a file are looked at for tags."""
_DOCUMENT = "-DOCSTART-"
_ID = re.compile(r"# (?:sent_)?id(?: ?= ?| )([^\t]+)")
_GAP = re.compile(" +")
_TAG = re.compile("O|[BIMELSU]-.+")


@dataclass
class _Sentence:
    """The lines up to an empty one.

    Attributes:
        opens: Whether a document begins with it.
        lenient: Whether tags may be missing.
        line: Where its first token stands, from 1 on.
        id: Its name, from a comment above it.
        tokens: The first column.
        tags: The last column; empty where a token has no tag, and needs none.
        widths: How many columns each of its lines has.
        mistake: The first line that cannot be read, and what is wrong with it.
    """

    opens: bool
    lenient: bool
    line: int = 0
    id: str | None = None
    tokens: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)
    mistake: tuple[int, DataError] | None = None

    def take(self, line: str, number: int, shape: "_Shape | None") -> None:
        """Read one line more, in a file whose lines have this shape, as far as that is known."""
        columns = _columns(line)
        token, tag = columns[0], columns[-1].strip() if len(columns) > 1 else ""
        if not self.tokens and _is_comment(line, shape):
            named = _ID.match(line)
            self.id = named[1].strip() if named else self.id
            return
        if (not token or " " in token or not (tag or self.lenient)) and self.mistake is None:
            expected = "expected a token and its tag, with a tab or a space between them"
            self.mistake = number, DataError(f"found {quoted(line)}; {expected}")
        self.line = self.line or number
        self.tokens.append(token)
        self.tags.append(tag)
        self.widths.append(len(columns))


def read(path: Path, documents: bool = False, *, lenient: bool = False) -> Iterator[Row]:
    """The sentences of a file, or its documents, one at a time; a text is its tokens with single spaces between them.

    Args:
        path: The file, which is read twice, first for the scheme of its tags.
        documents: Whether all sentences after a line with -DOCSTART- are one text, with line breaks between them.
        lenient: Whether tags may be wrong or missing; what they mark is left out then.

    Raises:
        DataError: The file cannot be read, its last column holds no tags, or it has no such documents.
    """
    bare, shape = _is_bare(path, lenient), _shape_of(path)
    with reading(path) as lines, _named(path):
        sentences = _sentences(lines, shape, lenient)
        for text in _documents(sentences) if documents else ([sentence] for sentence in sentences):
            yield next((sentence.mistake for sentence in text if sentence.mistake), None) or _row(text, bare)


def scheme(path: Path) -> str:
    """The scheme of the tags in a file, which all of them decide together.

    Raises:
        DataError: The file cannot be read, or its last column holds no tags.
    """
    survey, shape = Survey(), _shape_of(path)
    with reading(path) as lines, _named(path):
        for sentence in _sentences(lines, shape):
            if sentence.mistake is None:
                survey.add(sentence.tags, sentence.line)
        return survey.scheme()


def uneven(path: Path) -> str | None:
    """What to say of a file in which some lines have not as many columns as most; None where all have.

    Raises:
        DataError: The file cannot be read.
    """
    first: dict[int, int] = {}
    widths: Counter[int] = Counter()
    shape = _shape_of(path)
    with reading(path) as lines, _named(path):
        for sentence in _sentences(lines, shape):
            widths.update(sentence.widths)
            for number, width in enumerate(sentence.widths, start=sentence.line):
                first.setdefault(width, number)
    if len(widths) < 2:
        return None
    (usual, count), (width, _) = widths.most_common(2)
    odd, total = widths.total() - count, widths.total()
    return (
        f"{path}:{first[width]}: {width} columns, where most lines have {usual} ({odd:,} of {total:,} have not); only "
        "the first and the last are read, so that of a token with a space in it the rest is lost"
    )


def holds_tags(path: Path) -> bool:
    """Whether lines end with tags, by the head of a file: some with O, and most with a tag or all laid out alike.

    Raises:
        DataError: The file cannot be read.
    """
    with reading(path) as lines:
        head = [line.rstrip("\n") for line in islice(filter(_holds_token, lines), _LOOKED_AT)]
    tags = [columns[-1].strip() for columns in map(_columns, head) if len(columns) > 1]
    alike = len(set(map(_shape, head))) == 1
    return "O" in tags and (alike or 2 * sum(_TAG.fullmatch(tag) is not None for tag in tags) >= len(head))


def lines(texts: Iterable[MarkedText], scheme: Scheme = "bio2") -> Iterator[str]:
    """Texts as lines of tokens with their tags, each text as one sentence; its id goes into a comment above.

    Of a text without words only that comment is left, since columns have no place for it.

    Raises:
        DataError: A text, an id or a type cannot stand in columns.
    """
    for text in texts:
        yield from (f"{line}\n" for line in _lines(text, scheme))


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """What is wrong with a file, of which the line is told, with the file's name."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{path}:{error}") from None


def _is_bare(path: Path, lenient: bool) -> bool | None:
    """Whether tags are types, with no letter before them; None where they are no tags at all, and need not be."""
    try:
        return scheme(path) == BARE
    except DataError:
        if lenient:
            return None
        raise


def _columns(line: str) -> list[str]:
    return line.split("\t") if "\t" in line else _GAP.split(line.strip(" "))


class _Shape(NamedTuple):
    """What all lines of a file with tokens in them have in common: tabs or spaces, and the number of columns."""

    tabs: bool
    columns: int


def _shape(line: str) -> _Shape:
    return _Shape("\t" in line, len(_columns(line)))


def _shape_of(path: Path) -> _Shape | None:
    """The shape of the first line that cannot be a comment; None where there is no such line."""
    with reading(path) as lines:
        first = next(filter(_holds_token, lines), None)
        return None if first is None else _shape(first.rstrip("\n"))


def _holds_token(line: str) -> bool:
    """Whether a line holds a token for sure, being neither empty nor perhaps a comment."""
    return bool(line.strip()) and not line.startswith(("#", _DOCUMENT))


def _sentences(lines: Iterable[str], shape: _Shape | None, lenient: bool = False) -> Iterator[_Sentence]:
    sentence = _Sentence(opens=False, lenient=lenient)
    for number, line in enumerate(lines, start=1):
        opens = line.startswith(_DOCUMENT)
        if not opens and line.strip():
            sentence.take(line.rstrip("\n"), number, shape)
            _check_length(len(sentence.tokens), number)
            continue
        if sentence.tokens:
            yield sentence
        sentence = _Sentence(opens=opens or (sentence.opens and not sentence.tokens), lenient=lenient)
    if sentence.tokens:
        yield sentence


def _documents(sentences: Iterable[_Sentence]) -> Iterator[list[_Sentence]]:
    """The sentences of one document after the other."""
    document: list[_Sentence] = []
    length = 0
    for sentence in sentences:
        if sentence.opens and document:
            yield document
            document, length = [], 0
        if not sentence.opens and not document:
            raise DataError(f"{sentence.line}: a sentence before any {_DOCUMENT}; expected documents, or not to join")
        document.append(sentence)
        length += len(sentence.tokens)
        _check_length(length, sentence.line)
    if document:
        yield document


def _check_length(tokens: int, line: int) -> None:
    if tokens > _LONGEST:
        raise DataError(f"{line}: a text of more than {_LONGEST:,} tokens; expected an empty line between sentences")


def _is_comment(line: str, shape: _Shape | None) -> bool:
    """Whether a line above a sentence says something about it, rather than being its first token, such as ``#1``."""
    if not line.startswith("#"):
        return False
    found = _shape(line)
    remark = line.startswith("# ") and not _TAG.fullmatch(_columns(line)[-1].strip())
    return remark or _ID.match(line) is not None or (found != shape if shape else found.columns < 2)


def _row(text: Sequence[_Sentence], bare: bool | None) -> Row:
    """The row of a sentence, or of the sentences of a document; without a target where they are not tagged."""
    tagged = bare is not None and all(all(sentence.tags) for sentence in text)
    lines: list[str] = []
    cells: list[dict[str, Any]] = []
    at = 0
    for sentence in text:
        lines.append(" ".join(sentence.tokens))
        for start, end, type_ in spans_of(sentence.tokens, sentence.tags, bool(bare)) if tagged else ():
            cells.append({"start": at + start, "end": at + end, "type": type_})
        at += len(lines[-1]) + 1
    return text[0].line, known({"id": text[0].id, "text": "\n".join(lines), "target": cells if tagged else None})


def _lines(text: MarkedText, scheme: Scheme) -> Iterator[str]:
    name = " ".join((text.id or "").split())
    if not is_whole(text.text) or not is_whole(name):
        raise DataError(f"the text {quoted(text.text)} or its id holds half a character, which no file of columns can")
    if name:
        yield f"# id = {name}"
    for token, tag in tagged(text.text, text.spans, scheme, tokenised=text.tokenised):
        if " ".join(tag.split()) != tag:
            raise DataError(f"the type in {quoted(tag)} holds white space that columns cannot; expected another name")
        yield f"{token}\t{tag}"
    yield ""
