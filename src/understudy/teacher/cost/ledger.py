"""The ledger of a run: every request's worst case is reserved before it is sent, and its real cost entered after.

It lies on the disk as JSON lines, so that a budget holds over all the times that a run is taken up again: what was
reserved when a process died counts as spent, since nobody knows.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from understudy.errors import DataError, TeacherError
from understudy.teacher.cost.spending import Price, Tokens, cost_usd

_UNBOUNDED = 4096
"""Tokens reserved for a reply where no limit is sent with the request."""


class BudgetReached(TeacherError):
    """What is left of the budget does not cover the next request."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What a run may spend at the most.

    Attributes:
        usd: In USD.
        tokens: In tokens, read and written together.
    """

    usd: float | None = None
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Reservation:
    """What was set aside for one attempt.

    Attributes:
        number: Which one it is in the ledger.
        worst: The most that it can cost.
    """

    number: int
    worst: Tokens


class Ledger:
    """Keeps a run within its budget, and the account of what it spent.

    Args:
        path: The ledger's file, made with the first entry; None keeps it in memory alone.
        price: What the teacher charges; None where that is not known.
        budget: The limits.

    Raises:
        TeacherError: There is a budget in USD and no price to reckon with.
        DataError: The file cannot be read or written.
    """

    def __init__(self, path: Path | None = None, price: Price | None = None, budget: Budget | None = None) -> None:
        if budget is not None and budget.usd is not None and price is None:
            raise TeacherError("a budget in USD needs a price to reckon with; set teacher.price in the recipe")
        self.path = path
        self.price = price
        self.budget = budget or Budget()
        self.requests = 0
        self.spent = Tokens(0, 0)
        self._reserved: dict[int, Tokens] = {}
        self._held = Tokens(0, 0)
        self._next = 0
        self._file: IO[str] | None = None
        self._settled: asyncio.Event | None = None
        self._read()

    @property
    def spent_usd(self) -> float | None:
        """What was spent so far, in USD; None where the price is not known."""
        return cost_usd(self.spent, self.price)

    async def reserve(self, worst: Tokens) -> Reservation:
        """Set aside the worst case of a request; waits while requests under way may still give some of theirs back.

        Raises:
            BudgetReached: It does not fit into what is left.
        """
        while not self._fits(worst) and self._reserved:
            self._settled = self._settled or asyncio.Event()
            await self._settled.wait()
        return self.reserve_now(worst)

    def reserve_now(self, worst: Tokens) -> Reservation:
        """Set aside the worst case of what is about to be sent, without waiting for anything.

        Raises:
            BudgetReached: It does not fit into what is left.
        """
        if not self._fits(worst):
            raise BudgetReached(self._reached())
        reservation = Reservation(self._next, worst)
        self._next += 1
        self._hold(reservation.number, worst)
        self._write({"reserved": reservation.number, **worst._asdict()})
        return reservation

    def settle(self, reservation: Reservation, used: Tokens | None) -> None:
        """Enter what a request has cost, in place of what was reserved.

        Args:
            reservation: What was set aside for it.
            used: The tokens that it used; None where nobody knows, which counts as the worst case.
        """
        self._release(reservation.number)
        cost = reservation.worst if used is None else used
        self.requests += 1
        self.spent = self.spent.plus(cost)
        usd = cost_usd(cost, self.price)
        self._write({"settled": reservation.number, **cost._asdict(), "usd": usd, "known": used is not None})
        if self._settled is not None:
            self._settled.set()
            self._settled = None

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _fits(self, worst: Tokens) -> bool:
        planned = self.spent.plus(self._held).plus(worst)
        usd = cost_usd(planned, self.price)
        within_usd = self.budget.usd is None or usd is None or usd <= self.budget.usd
        return within_usd and (self.budget.tokens is None or planned.total <= self.budget.tokens)

    def _hold(self, number: int, worst: Tokens) -> None:
        self._release(number)
        self._reserved[number] = worst
        self._held = self._held.plus(worst)

    def _release(self, number: int) -> None:
        held = self._reserved.pop(number, Tokens(0, 0))
        self._held = Tokens(self._held.input - held.input, self._held.output - held.output)

    def _reached(self) -> str:
        limits = [f"${self.budget.usd:g}"] if self.budget.usd is not None else []
        limits += [f"{self.budget.tokens:,} tokens"] if self.budget.tokens is not None else []
        usd = self.spent_usd
        spent = f"{self.spent.total:,} tokens" + ("" if usd is None else f" (${usd:.4g})")
        return (
            f"the budget of {' and '.join(limits)} is reached: {spent} are spent, and the next request could take more "
            "than is left"
        )

    def _read(self) -> None:
        if self.path is None or not self.path.exists():
            return
        try:
            with self.path.open(encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    self._enter(line)
        except OSError as error:
            raise DataError(f"{self.path}: the ledger cannot be read ({error.strerror})") from None
        self.spent, self._held = self.spent.plus(self._held), Tokens(0, 0)
        self._reserved.clear()

    def _enter(self, line: str) -> None:
        """One line of the file; a line torn by a crash belongs to a request that stays reserved, or was not sent."""
        try:
            entry = json.loads(line)
            cost = Tokens(int(entry["input"]), int(entry["output"]))
            if "reserved" in entry:
                self._hold(int(entry["reserved"]), cost)
                self._next = max(self._next, int(entry["reserved"]) + 1)
            else:
                self._release(int(entry["settled"]))
                self.requests += 1
                self.spent = self.spent.plus(cost)
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return

    def _write(self, entry: Mapping[str, Any]) -> None:
        if self.path is None:
            return
        try:
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self.path.open("a", encoding="utf-8", buffering=1)
                self._file.write("\n" if self._file.tell() else "")  # closes off a line torn by a crash
            self._file.write(json.dumps(entry) + "\n")
        except OSError as error:
            raise DataError(
                f"{self.path}: the ledger cannot be written ({error.strerror}); make room, then run again"
            ) from None


def worst_case(body: Mapping[str, Any], payload: bytes) -> Tokens:
    """The most tokens that a request can read and write.

    Args:
        body: The request as it is sent.
        payload: The same in bytes; no tokenizer makes more tokens than there are.
    """
    written = body.get("max_tokens", body.get("max_completion_tokens", _UNBOUNDED))
    return Tokens(len(payload), int(written))
