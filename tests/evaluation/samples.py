"""Answers to every task, made to measure: a test set and contestants who get so many items right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from understudy import registry
from understudy.evaluation.choice import choose
from understudy.evaluation.learning_curve import learning_curve
from understudy.evaluation.scoreboard import Contestant, Scoreboard
from understudy.example import Prediction, Span, Target, target_to_json
from understudy.tasks.task import Task

ITEMS = 60


@dataclass(frozen=True)
class Sample:
    """A task with one text, its right answer, and answers that are not."""

    name: str
    settings: Mapping[str, Any]
    text: str
    gold: Target
    wrong: Sequence[Target | None]

    @property
    def task(self) -> Task:
        task: Task = registry.build("task", self.name, dict(self.settings))
        return task

    @property
    def texts(self) -> list[str]:
        return [f"{self.text} {number}" for number in range(ITEMS)]

    def answers(self, right: int, confidence: float | None = None) -> list[Prediction]:
        """The first so many right, the others wrong in turn."""
        return [
            Prediction(self.gold if number < right else self.wrong[number % len(self.wrong)], confidence)
            for number in range(ITEMS)
        ]

    def contestants(self) -> list[Contestant]:
        unknown = {"latency_ms": None, "size_bytes": None, "train_seconds": None}
        teacher = Contestant(student="teacher", mixture=None, predictions=[self.answers(50)], facts=unknown)
        facts = {"latency_ms": {"p50": 1.0, "p95": 2.0}, "size_bytes": 7, "train_seconds": 1.0}
        arms = {("linear", "gold"): (6, 9), ("linear", "distilled"): (40, 44), ("lstm", "distilled"): (30, 31)}
        return [
            teacher,
            *(
                Contestant(
                    student=student,
                    mixture=mixture,
                    predictions=[self.answers(right, 0.8) for right in seeds],
                    facts=facts,
                )
                for (student, mixture), seeds in arms.items()
            ),
        ]

    def scoreboard(self) -> Scoreboard:
        return Scoreboard(self.task, [self.gold] * ITEMS, self.texts, self.contestants())

    def scores(self) -> dict[str, Any]:
        """What a run would write to its scores file."""
        board = self.scoreboard()
        task, choice = board.task, choose(board)
        sizes = {size: board.distributions([self.answers(size)])[task.headline] for size in (10, 20, 40)}
        return {
            "version": 1,
            "name": f"made up {self.name}",
            "task": self.name,
            "form": task.form,
            "exact": task.exact,
            "headline": task.headline,
            "diagnostic": sorted(task.diagnostic),
            "rows": board.rows(),
            "comparisons": board.comparisons(),
            "choice": {
                "student": choice.contestant.student,
                "mixture": choice.contestant.mixture,
                "folder": "5-students/a",
                "sentence": choice.sentence,
            },
            "learning_curve": {
                "student": "linear",
                "mixture": "distilled",
                "metric": task.headline,
                **learning_curve(sizes, "linear", task.headline),
            },
        }

    def predictions(self) -> list[dict[str, Any]]:
        """What a run would write to its predictions file."""
        teacher, *students = self.contestants()
        return [
            {
                "id": f"{self.name}-{number}",
                "text": text,
                "gold": target_to_json(self.gold),
                "teacher": teacher.predictions[0][number].to_json(),
                "predictions": {student.name: student.predictions[0][number].to_json() for student in students},
            }
            for number, text in enumerate(self.texts)
        ]


ANN, BOB, ROME = Span(0, 7, "PER"), Span(12, 15, "PER"), Span(19, 23, "LOC")
SAMPLES = {
    sample.name: sample
    for sample in (
        Sample("classification", {"labels": ["a", "b"]}, "A text.", "a", ["b", None]),
        Sample(
            "ner",
            {"types": ["PER", "LOC"]},
            "Ann Lee met Bob in Rome.",
            (ANN, BOB, ROME),
            [(Span(0, 3, "PER"), BOB), (ANN, Span(12, 15, "LOC"), Span(19, 23, "LOC"), Span(25, 26, "LOC")), None],
        ),
        Sample(
            "summarization",
            {},
            "On Monday Ann Lee, the mayor, met Bob in Rome to speak of 12 new bridges.",
            "The mayor Ann Lee spoke with Bob of bridges.",
            ["On Monday Ann Lee, the mayor, met Bob in Rome to speak of 12 new bridges.", "Then Zoe spoke.", None],
        ),
        Sample("text2text", {"instruction": "Shout."}, "it rains", "IT RAINS!", ["IT RAIN!", "It rains.", None]),
    )
}
