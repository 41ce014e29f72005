"""What tests of entity formats share: marked texts of all kinds, and what a file is refused with."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from understudy.data.entities.marked import MarkedText
from understudy.errors import DataError
from understudy.example import Span

in_one_folder = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)  # every example writes files

# A byte order mark at the beginning of a file is no text, and half a character cannot stand in a file.
characters = st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff")
readable = st.text(characters, max_size=12) | st.text("ab-. '#😀ß北\n\t\u00a0\u0301", max_size=12)


@st.composite
def marked(draw: st.DrawFn) -> MarkedText:
    """A text with something to read in it, and entities wherever they may be."""
    text = draw(readable.filter(str.strip))
    edges = sorted(draw(st.sets(st.integers(0, len(text)), max_size=6)))
    spans = [
        Span(start, end, draw(st.sampled_from(["PER", "creative-work", "B-side"])))
        for start, end in zip(edges[::2], edges[1::2], strict=False)
        if text[start:end] == text[start:end].strip() != ""
    ]
    name = draw(st.none() | st.sampled_from(["a", "7", "row 1"]))
    return MarkedText(text=text, spans=tuple(spans), id=name)


texts = st.lists(marked(), min_size=1, max_size=4)


def cells(*spans: tuple[int, int, str]) -> list[dict[str, Any]]:
    return [{"start": start, "end": end, "type": type_} for start, end, type_ in spans]


def refusal(read: Callable[[], Iterable[tuple[int, Any]]]) -> str:
    """Why something cannot be read: the error itself, or what stands in place of a row."""
    with pytest.raises(DataError) as caught:
        _read_all(read)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def _read_all(read: Callable[[], Iterable[tuple[int, Any]]]) -> None:
    for _, row in read():
        if isinstance(row, DataError):
            raise row


def written(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path
