"""The choice: the cheapest student that is not significantly worse than the best one, and why, in one sentence."""

from collections.abc import Sequence
from dataclasses import dataclass

from understudy import words
from understudy.evaluation.scoreboard import Contestant, Scoreboard

_ALIKE = 1.5
"""Latencies within this factor are alike."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The student that a run would put to work, and the reason."""

    contestant: Contestant
    sentence: str


def choose(scoreboard: Scoreboard) -> Choice:
    """Among the students not significantly worse than the best, the best of those that answer about as fast as any.

    Every arm's latency is known by now (``latency_ms.p50`` in its facts). Latencies within a factor of 1.5 count as
    alike, because two timings of one model differ by as much, and noise must not choose. A control is never chosen. The
    arms are judged on the test set they are reported on, so that the best of many is slightly flattered; the report
    says so.
    """
    candidates = scoreboard.candidates
    best = _best(scoreboard, candidates)
    equals = [row for row in candidates if scoreboard.difference(row.name, best.name).high >= 0]
    fastest = min(_milliseconds(row) for row in equals)
    chosen = _best(scoreboard, [row for row in equals if _milliseconds(row) <= _ALIKE * fastest])
    return Choice(chosen, _sentence(scoreboard, chosen, best, len(equals)))


def _best(scoreboard: Scoreboard, rows: Sequence[Contestant]) -> Contestant:
    return max(rows, key=lambda row: scoreboard.headline(row.name).value)


def _milliseconds(row: Contestant) -> float:
    return float(row.facts["latency_ms"]["p50"])


def _sentence(scoreboard: Scoreboard, chosen: Contestant, best: Contestant, equals: int) -> str:
    score, speed = _score(scoreboard, chosen), _speed(chosen)
    if len(scoreboard.candidates) == 1:
        return f"{chosen.name} is chosen: it is the only candidate, with {score} at {speed}."
    if chosen is best and equals == 1:
        return f"{chosen.name} is chosen: with {score} it is significantly better than every other student, at {speed}."
    if chosen is best:
        return f"{chosen.name} is chosen: it has the best score ({score}), and no equal is clearly faster ({speed})."
    p_value = scoreboard.difference(chosen.name, best.name).p_value
    return (
        f"{chosen.name} is chosen: with {score} it is not significantly worse than the best, {best.name} "
        f"({scoreboard.headline(best.name).value:.3f}, p = {p_value:.2f}), and among the fastest such, at {speed}."
    )


def _score(scoreboard: Scoreboard, row: Contestant) -> str:
    return f"{scoreboard.headline(row.name).value:.3f} {words.metric(scoreboard.task.headline).name}"


def _speed(row: Contestant) -> str:
    latency = _milliseconds(row)
    return f"{latency:.2g} ms a text" if latency < 100 else f"{latency:,.0f} ms a text"
