"""Break-even: after how many days a student has paid back what teaching it cost."""

from dataclasses import dataclass
from typing import Self

from understudy import words
from understudy.errors import DataError
from understudy.evaluation.amounts import check_amounts


@dataclass(frozen=True, slots=True)
class BreakEven:
    """What a team pays with the student, and what it would pay with the teacher, in USD.

    Attributes:
        teaching_usd: What the teacher's replies for the training and the test cost, once.
        price_a_call_usd: What one call of the teacher costs.
        calls_a_day: How many there would be without the student.
        serving_usd_a_day: What it costs to keep the student running.

    Raises:
        DataError: One of them is negative, or no finite number.
    """

    teaching_usd: float
    price_a_call_usd: float
    calls_a_day: float
    serving_usd_a_day: float = 0.0

    def __post_init__(self) -> None:
        check_amounts(self)

    @classmethod
    def recorded(
        cls,
        cost_usd: float | None,
        replies: int | None,
        *,
        calls_a_day: float,
        price_a_call_usd: float | None = None,
        serving_usd_a_day: float = 0.0,
    ) -> Self:
        """By a run's account of its teacher, which tells the price of a call where that is not given.

        Args:
            cost_usd: What the replies cost; None where that is not known, and follows from the price of a call.
            replies: How many there were, if that is known.
            calls_a_day: How many calls there would be.
            price_a_call_usd: What one costs; None for what a reply cost on average.
            serving_usd_a_day: What it costs to keep the student running.

        Raises:
            DataError: The account does not tell what is needed, or an amount is none.
        """
        if price_a_call_usd is None and cost_usd is not None and replies:
            price_a_call_usd = cost_usd / replies
        if cost_usd is None and price_a_call_usd is not None and replies is not None:
            cost_usd = price_a_call_usd * replies
        if price_a_call_usd is None or cost_usd is None:
            raise DataError("what the teacher costs is not recorded in this run; give the price of a call as well")
        return cls(cost_usd, price_a_call_usd, calls_a_day, serving_usd_a_day)

    @property
    def saved_usd_a_day(self) -> float:
        """What the teacher's calls would cost beyond serving the student; negative where serving costs more."""
        return self.calls_a_day * self.price_a_call_usd - self.serving_usd_a_day

    @property
    def days(self) -> float | None:
        """The days until the savings have paid for the teaching; None where they never do."""
        if self.teaching_usd == 0 and self.saved_usd_a_day >= 0:
            return 0.0
        return self.teaching_usd / self.saved_usd_a_day if self.saved_usd_a_day > 0 else None

    @property
    def sentence(self) -> str:
        """The reckoning in one sentence."""
        teacher, serving = (
            words.dollars(self.calls_a_day * self.price_a_call_usd),
            words.dollars(self.serving_usd_a_day),
        )
        reckoning = (
            f"{self.calls_a_day:,.10g} calls a day at {words.dollars(self.price_a_call_usd)} would be {teacher} a day, "
            f"and serving the student is {serving}"
        )
        if self.days is None:
            return f"It never pays back: {reckoning}."
        return f"It pays back {_after(self.days)}: teaching cost {words.dollars(self.teaching_usd)}, {reckoning}."


def _after(days: float) -> str:
    if days < 1:
        return "within a day"
    return f"after {words.times(days)} days"
