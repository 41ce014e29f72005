"""The ledger of a run: every request's worst case is reserved before it is sent, and its real cost entered after.

It lies on the disk as JSON lines, so that a budget holds over all the times that a run is taken up again: what was
reserved when a process died counts as spent, since nobody knows, until somebody finds out and settles it.
"""

import asyncio
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import IO, Any, NamedTuple

from understudy import words
from understudy.errors import DataError, TeacherError
from understudy.teacher.cost.spending import NO_TOKENS, Price, Tokens, cost_usd

_UNBOUNDED = 4096
"""Tokens reserved for a reply where no limit is sent with the request."""
_DECIMALS = 12
"""Of a sum in USD: further ones are noise, which must not grow with a million requests."""


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

    def __str__(self) -> str:
        limits = [] if self.usd is None else [words.dollars(self.usd)]
        limits += [] if self.tokens is None else [f"{self.tokens:,} tokens"]
        return " and ".join(limits)

    def covers(self, tokens: Tokens, usd: float | None) -> bool:
        """Whether so much lies within it."""
        within_usd = self.usd is None or usd is None or usd <= self.usd
        return within_usd and (self.tokens is None or tokens.total <= self.tokens)

    def minus(self, tokens: Tokens, usd: float) -> "Budget":
        """What is left of it after so much."""
        return Budget(
            None if self.usd is None else max(0.0, round(self.usd - usd, _DECIMALS)),
            None if self.tokens is None else max(0, self.tokens - tokens.total),
        )


class Bill(NamedTuple):
    """Some requests, and what they cost; in USD where the price is known."""

    requests: int
    tokens: Tokens
    usd: float | None


@dataclass(frozen=True, slots=True)
class Reservation:
    """What was set aside for one attempt, or for batches.

    Attributes:
        number: Which one it is in the ledger.
        worst: The most that it can cost.
        requests: How many requests it is for.
        batched: Whether they go by batch, at the price of that.
    """

    number: int
    worst: Tokens
    requests: int = 1
    batched: bool = False


class _Amount(NamedTuple):
    """Tokens, and what they cost in USD; nothing where no price is known."""

    tokens: Tokens
    usd: float

    def plus(self, other: "_Amount") -> "_Amount":
        return _Amount(self.tokens.plus(other.tokens), round(self.usd + other.usd, _DECIMALS))

    def minus(self, other: "_Amount") -> "_Amount":
        return _Amount(self.tokens.minus(other.tokens), round(self.usd - other.usd, _DECIMALS))


_NOTHING = _Amount(NO_TOKENS, 0.0)


class Ledger:
    """Keeps a run within its budget, and the account of what it spent.

    Args:
        path: The ledger's file, made with the first entry; None keeps it in memory alone.
        price: What the teacher charges; None where that is not known.
        budget: The limits.

    Attributes:
        requests: How many requests were sent and settled.

    Raises:
        TeacherError: There is a budget in USD and no price to reckon with.
        DataError: The file cannot be read or written.
    """

    def __init__(self, path: Path | None = None, price: Price | None = None, budget: Budget | None = None) -> None:
        if budget is not None and budget.usd is not None and price is None:
            raise TeacherError(
                "a budget in USD needs a price to reckon with, and the table of list prices does not know this model "
                "at this endpoint; set teacher.price in the recipe, in USD for a million tokens: "
                "price: {input: 0.40, output: 1.60}"
            )
        self.path = path
        self.price = price
        self.budget = budget or Budget()
        self.requests = 0
        self._spent = _NOTHING
        self._held = _NOTHING
        self._untold = _NOTHING
        self._untold_requests = 0
        self._open: dict[int, Reservation] = {}
        self._next = self._first = 0
        self._file: IO[str] | None = None
        self._torn = False
        self._settled: asyncio.Event | None = None
        self._read()

    @property
    def spent(self) -> Tokens:
        """What was spent so far; what a process that died had reserved is taken for spent until it is settled."""
        return self._spent.tokens

    @property
    def spent_usd(self) -> float | None:
        """The same in USD, at the prices of the time; None where the price is not known."""
        return None if self.price is None else self._spent.usd

    @property
    def unknown(self) -> Bill:
        """What of that is the worst case of requests whose cost nobody knows: lost, not told, or left open."""
        left_open = [left for left in self._open.values() if left.number < self._first]
        amounts = (self._amount(left.worst, left.batched) for left in left_open)
        amount = reduce(_Amount.plus, amounts, self._untold)
        requests = self._untold_requests + sum(left.requests for left in left_open)
        return Bill(requests, amount.tokens, None if self.price is None else amount.usd)

    @property
    def known(self) -> Bill:
        """What of that was told."""
        unknown = self.unknown
        amount = self._spent.minus(_Amount(unknown.tokens, unknown.usd or 0.0))
        requests = self.requests - self._untold_requests
        return Bill(requests, amount.tokens, None if self.price is None else amount.usd)

    @property
    def left(self) -> Budget:
        """What neither is spent nor set aside of the budget."""
        return self.budget.minus(*self._spent.plus(self._held))

    async def reserve(self, worst: Tokens) -> Reservation:
        """Set aside the worst case of a request; waits while requests under way may still give some of theirs back.

        Raises:
            BudgetReached: It does not fit into what is left.
        """
        while not self._fits(self._amount(worst)) and self._held.tokens.total:
            self._settled = self._settled or asyncio.Event()
            await self._settled.wait()
        return self._set_aside(Reservation(self._next, worst))

    def reserve_batch(self, worst: Tokens, requests: int) -> Reservation:
        """Set aside the worst case of requests that go by batch, without waiting for anything.

        Raises:
            BudgetReached: It does not fit into what is left.
        """
        return self._set_aside(Reservation(self._next, worst, requests, batched=True))

    def enter_batch(self, used: Tokens | None, worst: Tokens, requests: int) -> None:
        """Enter a batch that was sent by hand, whether the budget would have covered it or not.

        Args:
            used: The tokens that were used; None where nobody knows, which counts as the worst case.
            worst: The most that it can have cost.
            requests: How many of its requests came back.
        """
        self.settle(self._note(Reservation(self._next, worst, requests, batched=True)), used)

    def settle(self, reservation: Reservation, used: Tokens | None) -> None:
        """Enter what was spent in place of what was reserved, by this process or another; only the first time counts.

        Args:
            reservation: What was set aside.
            used: The tokens that were used; None where nobody knows, which counts as the worst case.
        """
        cost = reservation.worst if used is None else used
        self._enter(reservation, cost, reservation.requests, known=used is not None)

    def give_back(self, reservation: Reservation) -> None:
        """Enter that nothing was sent of what something was set aside for; only the first time counts."""
        self._enter(reservation, NO_TOKENS, requests=0, known=True)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _set_aside(self, reservation: Reservation) -> Reservation:
        if not self._fits(self._amount(reservation.worst, reservation.batched)):
            raise BudgetReached(self._reached(reservation))
        return self._note(reservation)

    def _note(self, reservation: Reservation) -> Reservation:
        """Write down what is set aside."""
        self._hold(reservation)
        about = {"requests": reservation.requests, "batched": reservation.batched}
        self._write({"reserved": reservation.number, **reservation.worst._asdict(), **about})
        return reservation

    def _enter(self, reservation: Reservation, cost: Tokens, requests: int, known: bool) -> None:
        """Put what something cost in the place of what was reserved for it, unless that was done before."""
        number = reservation.number
        if self._open.get(number) != reservation:
            return
        usd = cost_usd(cost, self._price(reservation.batched))
        self._replace(number, cost, usd, requests, known)
        self._write({"settled": number, **cost._asdict(), "usd": usd, "requests": requests, "known": known})
        if self._settled is not None:
            self._settled.set()
            self._settled = None

    def _fits(self, worst: _Amount) -> bool:
        return self.budget.covers(*self._spent.plus(self._held).plus(worst))

    def _price(self, batched: bool) -> Price | None:
        return self.price.by_batch if batched and self.price is not None else self.price

    def _amount(self, tokens: Tokens, batched: bool = False) -> _Amount:
        return _Amount(tokens, cost_usd(tokens, self._price(batched)) or 0.0)

    def _hold(self, reservation: Reservation) -> None:
        worst = self._amount(reservation.worst, reservation.batched)
        self._release(reservation.number)
        self._open[reservation.number] = reservation
        self._held = self._held.plus(worst)
        self._next = max(self._next, reservation.number + 1)

    def _replace(self, number: int, cost: Tokens, usd: float | None, requests: int, known: bool) -> None:
        spent = self._amount(cost) if usd is None else _Amount(cost, usd)
        self._release(number)
        self._spent = self._spent.plus(spent)
        self.requests += requests
        if not known:
            self._untold, self._untold_requests = self._untold.plus(spent), self._untold_requests + requests

    def _release(self, number: int) -> None:
        reservation = self._open.pop(number, None)
        if reservation is None:
            return
        worst = self._amount(reservation.worst, reservation.batched)
        if number < self._first:
            self._spent = self._spent.minus(worst)
        else:
            self._held = self._held.minus(worst)

    def _reached(self, refused: Reservation) -> str:
        usd = self.spent_usd
        spent = f"{self.spent.total:,} tokens" + ("" if usd is None else f" (${usd:.4g})")
        lever = ""
        if self._for_replies(refused):
            reply = refused.worst.output // refused.requests
            lever = f", or lower teacher.max_tokens ({reply:,}), which is most of that"
        return (
            f"the budget of {self.budget} is reached: {spent} are spent, and the next request could take more than is "
            f"left; raise teacher.budget{lever}"
        )

    def _for_replies(self, reservation: Reservation) -> bool:
        """Whether most of what would be set aside is for replies, in what the budget counts."""
        read = self._amount(Tokens(reservation.worst.input, 0))
        written = self._amount(Tokens(0, reservation.worst.output))
        return written.tokens.total > read.tokens.total if self.budget.usd is None else written.usd > read.usd

    def _read(self) -> None:
        """Go through the file; what is open at its end was left so by processes that died, and taken for spent."""
        if self.path is None or not self.path.exists():
            return
        try:
            with self.path.open(encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    self._read_line(line)
                    self._torn = not line.endswith("\n")
        except OSError as error:
            raise DataError(f"{self.path}: the ledger cannot be read ({error.strerror})") from None
        self._spent, self._held = self._spent.plus(self._held), _NOTHING
        self._first = self._next

    def _read_line(self, line: str) -> None:
        """One line of the file; a line torn by a crash belongs to what stays reserved, or was not sent."""
        try:
            entry = json.loads(line)
            cost, requests = Tokens(int(entry["input"]), int(entry["output"])), int(entry.get("requests", 1))
            if "reserved" in entry:
                self._hold(Reservation(int(entry["reserved"]), cost, requests, bool(entry.get("batched"))))
            elif (usd := entry.get("usd")) is None or 0 <= usd < math.inf:
                self._replace(int(entry["settled"]), cost, usd, requests, bool(entry.get("known", True)))
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return

    def _write(self, entry: Mapping[str, Any]) -> None:
        if self.path is None:
            return
        try:
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self.path.open("a", encoding="utf-8", buffering=1)
                self._file.write("\n" if self._torn else "")  # closes off a line torn by a crash
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
