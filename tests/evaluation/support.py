"""Answers made to measure: so many right ones out of a two-label test set."""

from collections.abc import Sequence

from understudy.evaluation.scoreboard import Contestant
from understudy.example import Prediction
from understudy.tasks.classification import Classification
from understudy.tasks.task import Tally

TASK = Classification(labels=["a", "b"])
GOLD = ["a", "b"] * 100
TEXTS = [f"text {place}" for place in range(len(GOLD))]


def answers(wrong: Sequence[int], confidence: float | None = None, gold: Sequence[str] = GOLD) -> list[Prediction]:
    """The right answers, but for the items at these places."""
    places = set(wrong)
    flipped = {"a": "b", "b": "a"}
    return [Prediction(flipped[label] if place in places else label, confidence) for place, label in enumerate(gold)]


def tally(wrong: Sequence[int]) -> Tally:
    return TASK.tally(GOLD, [answer.target for answer in answers(wrong)], TEXTS)


def arm(
    student: str,
    mixture: str | None,
    *wrong: Sequence[int],
    p50: float = 1.0,
    confidence: float | None = None,
    control: bool = False,
) -> Contestant:
    """A student that is wrong at these places, for each of its seeds."""
    facts = {"latency_ms": {"p50": p50, "p95": 2 * p50}, "size_bytes": 7}
    predictions = [answers(places, confidence) for places in wrong]
    return Contestant(student=student, mixture=mixture, predictions=predictions, control=control, facts=facts)
