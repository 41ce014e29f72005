"""The bench: every cell of a study on the same test items, over the same resamples and the same swaps."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from understudy.evaluation.bootstrap import Bootstrap, Distribution
from understudy.evaluation.effect import effect_size
from understudy.evaluation.holm import holm
from understudy.evaluation.randomisation import randomisation_p
from understudy.example import Prediction, Target
from understudy.tasks.task import Tally, Task

_SIGNIFICANT = 0.05
_ROUNDS = 10_000
"""Of randomisation: the least p-value, a ten-thousandth, must still be one after Holm's correction of hundreds."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two rows of a study by its headline metric.

    Attributes:
        a: Who is said to do better.
        b: Who is held against it.
        student: Whose rows these are; None where they are all students' together.
        difference: How much better a is.
        low: The lower end of its 95 % interval, by the paired bootstrap over items and seeds.
        high: The upper end.
        p_value: How often chance alone would make them differ as much, by approximate randomisation.
        effect: The difference beside how much it varies from item to item, d_z; None where it cannot be said.
    """

    a: str
    b: str
    student: str | None
    difference: float
    low: float
    high: float
    p_value: float
    effect: float | None


class Bench:
    """Scores what predictors say of a test set.

    Args:
        task: Scores the answers.
        gold: The right ones.
        texts: What they are answers to.
    """

    def __init__(self, task: Task, gold: Sequence[Target], texts: Sequence[str]) -> None:
        self.task, self.gold, self.texts = task, gold, texts
        self._bootstrap = Bootstrap(len(gold))

    def tally(self, answers: Sequence[Prediction]) -> Tally:
        """What the items add to the metrics of some answers."""
        return self.task.tally(self.gold, [answer.target for answer in answers], self.texts)

    def metrics(self, tallies: Sequence[Tally]) -> dict[str, dict[str, float]]:
        """Every metric with its 95 % interval, over items and seeds."""
        return {name: asdict(found.estimate()) for name, found in self._bootstrap.distributions(tallies).items()}

    def headline(self, tallies: Sequence[Tally]) -> Distribution:
        """The headline metric."""
        return self._bootstrap.distributions(tallies)[self.task.headline]

    def compare(
        self, a: tuple[str, Sequence[Tally]], b: tuple[str, Sequence[Tally]], student: str | None
    ) -> Comparison:
        """Two rows, each by its name and its tallies; seeds go in pairs where there are as many of both."""
        metric = self.task.headline
        found = self.headline(a[1]).minus(self.headline(b[1]))
        return Comparison(
            a=a[0],
            b=b[0],
            student=student,
            difference=found.difference,
            low=found.low,
            high=found.high,
            p_value=randomisation_p(a[1], b[1], rounds=_ROUNDS)[metric],
            effect=effect_size(a[1], b[1]).get(metric),
        )


def corrected(comparisons: Sequence[Comparison], metric: str) -> list[dict[str, Any]]:
    """The comparisons of a study as JSON, significant where they are so among all of them (Holm 1979)."""
    raised = holm([comparison.p_value for comparison in comparisons])
    return [
        {**asdict(comparison), "metric": metric, "p_holm": p_holm, "significant": p_holm < _SIGNIFICANT}
        for comparison, p_holm in zip(comparisons, raised, strict=True)
    ]


def verdict(pooled: Mapping[str, Any]) -> str:
    """What a comparison, corrected for all others, says of the claim that a is better."""
    if not pooled["significant"]:
        return "not shown"
    return "supported" if pooled["difference"] > 0 else "contradicted"
