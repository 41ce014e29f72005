"""Texts for scores that do not look at them."""

from collections.abc import Sequence


def texts_of(targets: Sequence[object]) -> list[str]:
    """One text for each target."""
    return ["A text\nwith {{ braces }}."] * len(targets)
