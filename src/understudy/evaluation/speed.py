"""Speed: how long one text takes, and how many a second get through, text in to answer out."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle

from understudy.students.student import Predictor

_WARM_UP = 5
_ROUNDS = 3
_CALLS = 200
"""In each round, at the most."""
_SECONDS = 3.0
"""No measurement goes on for longer, so that a slow student does not hold up the run."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Milliseconds for one text at a time (median and 95th percentile), and texts a second when given many."""

    p50: float
    p95: float
    throughput: float


def measure_speed(predictor: Predictor, texts: Sequence[str]) -> Speed:
    """Time a predictor on these texts: first one at a time, then all together.

    One at a time is timed in rounds, and the round of the lowest median counts: what else a machine is busy with can
    only make a student slower, mostly for a while, and says nothing of the student.
    """
    for text in texts[:_WARM_UP]:
        predictor.predict([text])
    best = min(_rounds(predictor, texts), key=_median)
    return Speed(
        p50=1000 * _median(best),
        p95=1000 * best[min(len(best) - 1, int(len(best) * 0.95))],
        throughput=_throughput(predictor, texts),
    )


def _rounds(predictor: Predictor, texts: Sequence[str]) -> list[list[float]]:
    """The seconds of the calls of each round, lowest first; the texts go on from round to round."""
    upcoming, start = cycle(texts), time.perf_counter()
    rounds: list[list[float]] = []
    while len(rounds) < _ROUNDS and (not rounds or time.perf_counter() < start + _SECONDS):
        end = time.perf_counter() + _SECONDS / _ROUNDS
        rounds.append(sorted(_time_calls(predictor, upcoming, end)))
    return rounds


def _time_calls(predictor: Predictor, texts: Iterator[str], end: float) -> list[float]:
    """The seconds of single calls up to a time; of one at the least."""
    times: list[float] = []
    while len(times) < _CALLS and (not times or time.perf_counter() < end):
        text, start = next(texts), time.perf_counter()
        predictor.predict([text])
        times.append(time.perf_counter() - start)
    return times


def _median(times: Sequence[float]) -> float:
    """The middle of sorted times."""
    return times[len(times) // 2]


def _throughput(predictor: Predictor, texts: Sequence[str]) -> float:
    done, start = 0, time.perf_counter()
    while done == 0 or time.perf_counter() < start + _SECONDS / 10:
        predictor.predict(texts)
        done += len(texts)
    return done / (time.perf_counter() - start)
