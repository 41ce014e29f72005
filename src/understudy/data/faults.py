"""The mistakes in data files, collected so that all of them are told at once."""

from understudy.errors import DataError

_SHOWN = 10
"""How many mistakes are listed."""


class Faults:
    """The mistakes in all files, the first of them with their words."""

    def __init__(self) -> None:
        self._first: list[DataError] = []
        self._count = 0

    def add(self, mistake: DataError) -> None:
        """Take note of one."""
        self._count += 1
        if len(self._first) < _SHOWN:
            self._first.append(mistake)

    def tell(self) -> None:
        """Raise what was found: nothing, the one mistake, or a list of them."""
        if self._count == 1:
            raise self._first[0]
        if self._count:
            shown = "".join(f"\n  {mistake}" for mistake in self._first)
            rest = self._count - len(self._first)
            more = f"\n  and {rest:,} more" if rest else ""
            raise DataError(f"{self._count:,} mistakes in the data{shown}{more}")
