"""Speed: how long one text takes, and how many a second get through, text in to answer out."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from understudy.students.student import Predictor

_WARM_UP = 5
_CALLS = 200
_SECONDS = 3.0
"""No measurement goes on for longer, so that a slow student does not hold up the run."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Milliseconds for one text at a time (median and 95th percentile), and texts a second when given many."""

    p50: float
    p95: float
    throughput: float


def measure_speed(predictor: Predictor, texts: Sequence[str]) -> Speed:
    """Time a predictor on these texts: first one at a time, then all together."""
    for text in texts[:_WARM_UP]:
        predictor.predict([text])
    times = sorted(_time_calls(predictor, texts))
    return Speed(
        p50=1000 * times[len(times) // 2],
        p95=1000 * times[min(len(times) - 1, int(len(times) * 0.95))],
        throughput=_throughput(predictor, texts),
    )


def _time_calls(predictor: Predictor, texts: Sequence[str]) -> list[float]:
    end = time.perf_counter() + _SECONDS
    times: list[float] = []
    while len(times) < _CALLS and (not times or time.perf_counter() < end):
        start = time.perf_counter()
        predictor.predict([texts[len(times) % len(texts)]])
        times.append(time.perf_counter() - start)
    return times


def _throughput(predictor: Predictor, texts: Sequence[str]) -> float:
    done, start = 0, time.perf_counter()
    while done == 0 or time.perf_counter() < start + _SECONDS / 10:
        predictor.predict(texts)
        done += len(texts)
    return done / (time.perf_counter() - start)
