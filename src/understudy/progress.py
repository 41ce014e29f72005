"""How long work tells whoever waits for it how far it is, without knowing who that is."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Bar(Protocol):
    """One piece of work under way."""

    def advance(self, steps: int = 1) -> None:
        """So many more steps are done."""


class Progress(Protocol):
    """Where work is announced: a terminal, a log, or nowhere."""

    def bar(self, title: str, total: int) -> AbstractContextManager[Bar]:
        """Announce a piece of work of ``total`` steps; use as ``with progress.bar(...) as bar``."""

    def say(self, line: str) -> None:
        """One line for the person who waits."""


class Silent:
    """Progress that goes nowhere: the default from Python."""

    @contextmanager
    def bar(self, title: str, total: int) -> Iterator[Bar]:
        """Announce nothing."""
        yield self

    def advance(self, steps: int = 1) -> None:
        """Count nothing."""

    def say(self, line: str) -> None:
        """Say nothing."""


class Notes(Silent):
    """Progress that keeps its lines, to be said by whoever shows them."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        """Keep it."""
        self.lines.append(line)
