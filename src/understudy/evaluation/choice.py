"""The choice: the cheapest student that is not significantly worse than the best one, and why, in one sentence."""

from dataclasses import dataclass

from understudy import words
from understudy.evaluation.scoreboard import Contestant, Scoreboard


@dataclass(frozen=True, slots=True)
class Choice:
    """The student that a run would put to work, and the reason."""

    contestant: Contestant
    sentence: str


def choose(scoreboard: Scoreboard) -> Choice:
    """Among the students not significantly worse than the best, the one that answers fastest.

    Every arm's latency is known by now (``latency_ms.p50`` in its facts). The arms are judged on the test set they
    are reported on, so that the best of many is slightly flattered; the report says so.
    """
    students = [row for row in scoreboard.contestants.values() if row.mixture is not None]
    best = max(students, key=lambda row: scoreboard.headline(row.name).value)
    worse = {row.name for row in students if scoreboard.difference(row.name, best.name).high < 0}
    chosen = min((row for row in students if row.name not in worse), key=lambda row: _milliseconds(row, scoreboard))
    return Choice(chosen, _sentence(scoreboard, chosen, best, len(students), len(students) - len(worse)))


def _milliseconds(row: Contestant, scoreboard: Scoreboard) -> tuple[float, float]:
    """What decides: the latency of one text, rounded to what can be told apart, then the score."""
    latency = float(row.facts["latency_ms"]["p50"])
    return float(f"{latency:.1g}"), -scoreboard.headline(row.name).value


def _sentence(scoreboard: Scoreboard, chosen: Contestant, best: Contestant, students: int, equals: int) -> str:
    score, speed = _score(scoreboard, chosen), _speed(chosen)
    if students == 1:
        return f"{chosen.name} is chosen: it is the only candidate, with {score} at {speed}."
    if chosen is best and equals == 1:
        return f"{chosen.name} is chosen: with {score} it is significantly better than every other student, at {speed}."
    if chosen is best:
        return f"{chosen.name} is chosen: it has the best score ({score}), and none of its equals is faster ({speed})."
    p_value = scoreboard.difference(chosen.name, best.name).p_value
    return (
        f"{chosen.name} is chosen: with {score} it is not significantly worse than the best, {best.name} "
        f"({scoreboard.headline(best.name).value:.3f}, p = {p_value:.2f}), and the fastest such student, at {speed}."
    )


def _score(scoreboard: Scoreboard, row: Contestant) -> str:
    return f"{scoreboard.headline(row.name).value:.3f} {words.metric(scoreboard.task.headline).name}"


def _speed(row: Contestant) -> str:
    latency = float(row.facts["latency_ms"]["p50"])
    return f"{latency:.2g} ms a text" if latency < 100 else f"{latency:,.0f} ms a text"
