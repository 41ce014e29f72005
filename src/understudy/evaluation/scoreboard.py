"""The scoreboard: teacher and students side by side on one test set, as it stands in a run's scores file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from understudy.evaluation.bootstrap import Bootstrap, Difference, Distribution
from understudy.evaluation.calibration import calibration_tally
from understudy.example import Prediction, Target
from understudy.tasks.task import Tally, Task
from understudy.words import row_name

TEACHER = "teacher"
_GOLD = "gold"


@dataclass(frozen=True, kw_only=True)
class Contestant:
    """One row of the comparison: the teacher, or a student trained on a mixture.

    Attributes:
        student: The student's name, or ``teacher``.
        mixture: What it was trained on; None for the teacher.
        predictions: Its answers to the test texts, once for each seed.
        control: Whether it is there only for the others to be compared with.
        facts: What else is known of it: latency, size, parameters, training time.
    """

    student: str
    mixture: str | None
    predictions: Sequence[Sequence[Prediction]]
    control: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """``student/mixture``, or ``teacher``."""
        return row_name(self.student, self.mixture)


class Scoreboard:
    """Every contestant's scores on the same test items, over the same resamples.

    Args:
        task: Scores the answers.
        gold: The right ones.
        texts: What they are answers to.
        contestants: Who answered.
    """

    def __init__(
        self, task: Task, gold: Sequence[Target], texts: Sequence[str], contestants: Sequence[Contestant]
    ) -> None:
        self.task = task
        self.gold = gold
        self.texts = texts
        self.contestants = {contestant.name: contestant for contestant in contestants}
        self._bootstrap = Bootstrap(len(gold))
        self._scores = {contestant.name: self.distributions(contestant.predictions) for contestant in contestants}

    def distributions(self, seeds: Sequence[Sequence[Prediction]]) -> dict[str, Distribution]:
        """Every metric of some answers, one list for each seed; calibration where a confidence can prove right."""
        tallies = [self.task.tally(self.gold, [answer.target for answer in answers], self.texts) for answers in seeds]
        found = {
            name: distribution.unbounded() if name in self.task.diagnostic else distribution
            for name, distribution in self._bootstrap.distributions(tallies).items()
        }
        if self.task.exact and all(answer.confidence is not None for answers in seeds for answer in answers):
            calibration = self._bootstrap.distributions([self._calibration(answers) for answers in seeds])
            found |= {name: distribution.centred() for name, distribution in calibration.items()}
        return found

    def _calibration(self, answers: Sequence[Prediction]) -> Tally:
        confidences = [answer.confidence or 0.0 for answer in answers]
        correct = [answer.target == target for answer, target in zip(answers, self.gold, strict=True)]
        return calibration_tally(confidences, correct)

    def headline(self, name: str) -> Distribution:
        """A contestant's headline metric."""
        return self._scores[name][self.task.headline]

    def difference(self, a: str, b: str) -> Difference:
        """How much better one contestant is than another by the headline metric."""
        return self.headline(a).minus(self.headline(b))

    @property
    def candidates(self) -> list[Contestant]:
        """Those of whom one is to be chosen: the students that are no control."""
        return [row for row in self.contestants.values() if row.mixture is not None and not row.control]

    def rows(self) -> list[dict[str, Any]]:
        """One JSON object for each contestant, the teacher first, then by headline metric."""
        order = sorted(
            self.contestants.values(), key=lambda row: (row.student != TEACHER, -self.headline(row.name).value)
        )
        return [self._row(contestant) for contestant in order]

    def comparisons(self) -> list[dict[str, Any]]:
        """Every student against the teacher and the controls, every mixture against the same student on gold, as JSON.

        A difference by a diagnostic metric has no p-value, since neither side is better.
        """
        return [
            {"a": a, "b": b, "metric": metric, **self._difference(a, b, metric)}
            for a, b in self._pairs()
            for metric in self._scores[a]
            if metric in self._scores[b]
        ]

    def _pairs(self) -> Iterator[tuple[str, str]]:
        controls = [name for name, contestant in self.contestants.items() if contestant.control]
        for name, contestant in self.contestants.items():
            if contestant.mixture is None:
                continue
            rivals = [TEACHER] if contestant.control else [f"{contestant.student}/{_GOLD}", *controls, TEACHER]
            yield from ((name, rival) for rival in rivals if rival in self.contestants and rival != name)

    def _difference(self, a: str, b: str, metric: str) -> dict[str, Any]:
        difference = asdict(self._scores[a][metric].minus(self._scores[b][metric]))
        return {**difference, "p_value": None} if metric in self.task.diagnostic else difference

    def _row(self, contestant: Contestant) -> dict[str, Any]:
        scores = self._scores[contestant.name]
        return {
            "student": contestant.student,
            "mixture": contestant.mixture,
            "control": contestant.control,
            "seeds": len(contestant.predictions),
            "metrics": {name: asdict(score.estimate()) for name, score in scores.items()},
            **contestant.facts,
            "details": self.task.details(
                [target for _ in contestant.predictions for target in self.gold],
                [answer.target for answers in contestant.predictions for answer in answers],
                [text for _ in contestant.predictions for text in self.texts],
            ),
        }
