"""The cheapest student that does: fast, small and good enough for what a team demands, and why, in one sentence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from understudy import words
from understudy.errors import UnknownName
from understudy.evaluation.amounts import check_amounts
from understudy.evaluation.bootstrap import Difference
from understudy.evaluation.choice import ALIKE, as_fast_as_any, best_of, milliseconds
from understudy.evaluation.scoreboard import TEACHER, Contestant, Scoreboard
from understudy.registry import unknown

BEST = "best"
"""The reference where none is named: the student with the best score."""


@dataclass(frozen=True, slots=True)
class Demands:
    """What a student must meet to be put to work.

    Attributes:
        max_drop: How much worse than the reference it may be, by the headline metric: what the paired 95 % interval
            does not rule out counts. None asks only that it is not significantly worse.
        max_latency_ms: How long one text may take, in milliseconds at the median.
        max_size_mb: How large it may be on disk, in millions of bytes.

    Raises:
        DataError: One of them is negative, or no finite number.
    """

    max_drop: float | None = None
    max_latency_ms: float | None = None
    max_size_mb: float | None = None

    def __post_init__(self) -> None:
        check_amounts(self)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The student that meets all demands at the least cost, if any, and the reason.

    Attributes:
        contestant: The student; None where no one meets them all.
        sentence: Why it is this one; or who comes nearest, and what that one fails.
    """

    contestant: Contestant | None
    sentence: str


def cheapest(scoreboard: Scoreboard, demands: Demands, against: str = BEST) -> Verdict:
    """Of the students that meet all demands the fastest, of these the smallest, and of these the best.

    Latencies count as alike within a factor of 1.5, and so do sizes: neither noise in the timing nor a few kilobytes
    are worth a mistake.

    Args:
        scoreboard: Every student's scores, latency and size, and the teacher's scores.
        demands: What is to be met.
        against: Whom no student may be worse than: ``best``, ``teacher``, or a row such as ``linear/gold``.

    Raises:
        UnknownName: The reference is not in the run.
    """
    trials = [_Trial(scoreboard, demands, row, _reference(scoreboard, against)) for row in scoreboard.candidates]
    sound = [trial.row for trial in trials if not trial.failures]
    if not sound:
        return Verdict(None, _nobody(scoreboard, trials))
    chosen = best_of(scoreboard, _as_small_as_any(as_fast_as_any(sound)))
    [trial] = [trial for trial in trials if trial.row is chosen]
    return Verdict(chosen, f"{chosen.name} is the cheapest that will do, at {trial.cost}: {trial.standing}.")


def _reference(scoreboard: Scoreboard, against: str) -> Contestant:
    known = scoreboard.contestants
    if against == BEST:
        return best_of(scoreboard, scoreboard.candidates)
    if against not in known:
        raise UnknownName(unknown("reference", against, dict.fromkeys([BEST, TEACHER, *known])))
    return known[against]


def _as_small_as_any(rows: Sequence[Contestant]) -> list[Contestant]:
    smallest = min(row.facts["size_bytes"] for row in rows)
    return [row for row in rows if row.facts["size_bytes"] <= ALIKE * smallest]


def _nobody(scoreboard: Scoreboard, trials: Sequence["_Trial"]) -> str:
    """Who fails least: in the fewest ways, and of those with the best score."""
    nearest = min(trials, key=lambda trial: (len(trial.failures), -scoreboard.headline(trial.row.name).value))
    return f"No student will do; {nearest.row.name} comes nearest, but {' and '.join(nearest.failures)}."


@dataclass(frozen=True, slots=True)
class _Trial:
    """One student held against the demands."""

    scoreboard: Scoreboard
    demands: Demands
    row: Contestant
    reference: Contestant

    @property
    def failures(self) -> list[str]:
        """What of the demands it does not meet, in words."""
        return [*self._too_bad(), *self._too_slow(), *self._too_large()]

    @property
    def cost(self) -> str:
        """Its latency and size."""
        return (
            f"{words.milliseconds(milliseconds(self.row))} a text and {words.megabytes(self.row.facts['size_bytes'])}"
        )

    @property
    def standing(self) -> str:
        """How it stands to the reference, where it is good enough."""
        metric = words.metric(self.scoreboard.task.headline)
        score = f"with {metric.said(self.scoreboard.headline(self.row.name).value)} {metric.name} it"
        if self.row is self.reference:
            best = self.row is best_of(self.scoreboard, self.scoreboard.candidates)
            return f"{score} {'has the best score of all' if best else 'is the reference itself'}"
        other = f"{self.reference.name} ({metric.said(self.scoreboard.headline(self.reference.name).value)})"
        if self.demands.max_drop is None:
            return f"{score} is not significantly worse than {other}, {self._interval}"
        return f"{score} is not worse than {other} by more than {self.demands.max_drop:g}, {self._interval}"

    @property
    def _difference(self) -> Difference:
        return self.scoreboard.difference(self.row.name, self.reference.name)

    @property
    def _interval(self) -> str:
        """The difference with its interval: ``−0.012 [−0.030, +0.004]``."""
        found = self._difference
        difference, low, high = map(words.signed, (found.difference, found.low, found.high))
        return f"{difference} [{low}, {high}]"

    def _too_bad(self) -> Iterator[str]:
        if self.row is self.reference:
            return
        if self.demands.max_drop is None and self._difference.high < 0:
            yield f"it is significantly worse than {self.reference.name}, {self._interval}"
        elif self.demands.max_drop is not None and self._difference.low < -self.demands.max_drop:
            drop = words.score(-self._difference.low)
            yield (
                f"it may be worse than {self.reference.name} by as much as {drop}, {self._interval}, where "
                f"{self.demands.max_drop:g} is allowed"
            )

    def _too_slow(self) -> Iterator[str]:
        limit, latency = self.demands.max_latency_ms, milliseconds(self.row)
        if limit is not None and latency > limit:
            yield f"it takes {words.milliseconds(latency)} a text where {limit:g} ms are allowed"

    def _too_large(self) -> Iterator[str]:
        limit, size = self.demands.max_size_mb, self.row.facts["size_bytes"]
        if limit is not None and size > 1e6 * limit:
            yield f"it takes {words.megabytes(size)} where {limit:g} MB are allowed"
