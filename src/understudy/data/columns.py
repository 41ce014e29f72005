"""Cells of rows by the names of their columns."""

from collections.abc import Collection, Mapping
from typing import Any

from understudy.errors import DataError
from understudy.registry import unknown


class NoColumn(DataError):
    """A file has no such column: told once, since every row of it would say the same."""


def cell(row: Mapping[str, Any], column: str, advice: str, others: Collection[str] = ()) -> Any:
    """What stands in a column of a row.

    Args:
        row: By the names of its columns.
        column: The name.
        advice: What to do where there is no such column.
        others: Columns that are in use for something else, so that none of them can be meant.

    Raises:
        NoColumn: There is none.
    """
    if column in row:
        return row[column]
    if len(row) == 1 and ";" in next(iter(row)):
        raise NoColumn("the columns are separated by ';'; expected ',': export the file again, or convert it")
    free = [name for name in row if name not in others]
    mistake = unknown("column", column, free) if free else f"unknown column {column!r}; found only {', '.join(row)}"
    raise NoColumn(f"{mistake}; {advice}")
