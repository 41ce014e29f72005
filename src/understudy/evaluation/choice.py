"""The choice: the cheapest student that is not significantly worse than the best one, and why, in one sentence."""

from collections.abc import Sequence
from dataclasses import dataclass

from understudy import words
from understudy.evaluation.scoreboard import Contestant, Scoreboard

ALIKE = 1.5
"""Latencies within this factor are alike, because two timings of one model differ by as much."""
_FEW = 30
"""With fewer test texts, students that differ are hardly ever told apart."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The student that a run would put to work, and the reason."""

    contestant: Contestant
    sentence: str


def choose(scoreboard: Scoreboard) -> Choice:
    """Among the students not significantly worse than the best, the best of those that answer about as fast as any.

    Every arm's latency is known by now (``latency_ms.p50`` in its facts). A control is never chosen. The arms are
    judged on the test set they are reported on, so that the best of many is slightly flattered; the report says so.
    """
    candidates = scoreboard.candidates
    best = best_of(scoreboard, candidates)
    equals = [row for row in candidates if scoreboard.difference(row.name, best.name).high >= 0]
    chosen = best_of(scoreboard, as_fast_as_any(equals))
    reason = _reason(scoreboard, chosen, best, len(equals))
    return Choice(chosen, f"{chosen.name} is chosen: {reason}{_caveat(scoreboard)}.")


def best_of(scoreboard: Scoreboard, rows: Sequence[Contestant]) -> Contestant:
    """The one with the best headline score."""
    return max(rows, key=lambda row: scoreboard.headline(row.name).value)


def as_fast_as_any(rows: Sequence[Contestant]) -> list[Contestant]:
    """Those that take at most half as long again as the fastest: noise in the timing must not choose."""
    fastest = min(map(milliseconds, rows))
    return [row for row in rows if milliseconds(row) <= ALIKE * fastest]


def milliseconds(row: Contestant) -> float:
    """The median time that a student takes for one text."""
    return float(row.facts["latency_ms"]["p50"])


def _reason(scoreboard: Scoreboard, chosen: Contestant, best: Contestant, equals: int) -> str:
    score, speed = _score(scoreboard, chosen), _speed(chosen)
    if len(scoreboard.candidates) == 1:
        return f"it is the only candidate, with {score} at {speed}"
    if chosen is best and equals == 1:
        return f"with {score} it is significantly better than every other student, at {speed}"
    if chosen is best:
        return f"it has the best score ({score}), and no equal is clearly faster ({speed})"
    p_value = scoreboard.difference(chosen.name, best.name).p_value
    return (
        f"with {score} it is not significantly worse than the best, {best.name} "
        f"({scoreboard.headline(best.name).value:.3f}, p = {p_value:.2f}), and among the fastest such, at {speed}"
    )


def _caveat(scoreboard: Scoreboard) -> str:
    texts = len(scoreboard.gold)
    return f"; but {texts} test texts are too few to tell" if len(scoreboard.candidates) > 1 and texts < _FEW else ""


def _score(scoreboard: Scoreboard, row: Contestant) -> str:
    return f"{scoreboard.headline(row.name).value:.3f} {words.metric(scoreboard.task.headline).name}"


def _speed(row: Contestant) -> str:
    latency = milliseconds(row)
    return f"{latency:.2g} ms a text" if latency < 100 else f"{latency:,.0f} ms a text"
