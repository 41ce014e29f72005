"""What the contract of students is tried on: every registered student with every task, on tiny settings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.students import small
from tests.students.sequences.tiny import FROM_SCRATCH
from understudy import registry
from understudy.example import Example, Prediction
from understudy.progress import Silent
from understudy.students.student import Student
from understudy.tasks.task import Task
from understudy.training.mixtures import Mixture

BERT = "the folder of a tiny BERT"
TINY: dict[str, dict[str, Any]] = {
    "lead": {},
    "linear": {"iterations": 30},
    "gbdt": {"rounds": 8, "max_features": 200},
    "lstm": {"embedding_size": 8, "hidden_size": 4, "epochs": 2},
    "encoder": {"model": BERT, "max_length": 32, "epochs": 1, "learning_rate": 1e-3},
    "t5": FROM_SCRATCH,
    "bart": FROM_SCRATCH,
}
"""Settings with which each student learns in a second."""


@dataclass(frozen=True)
class Lesson:
    """A small task, and what there is to learn it from."""

    task: Task
    gold: Sequence[Example]
    distilled: Sequence[Example]
    validation: Sequence[Example]
    texts: Sequence[str]

    def mixture(self, name: str = "union") -> Mixture:
        return Mixture.named(name, self.gold, self.distilled)


def lesson(task: Task, examples: Callable[..., list[Example]]) -> Lesson:
    texts = [example.text for example in examples("test", 15, shift=90)]
    gold, annotated = examples("gold", 12), examples("annotated", 24, shift=4)
    return Lesson(task, gold, annotated, examples("gold", 9, shift=60), texts)


LESSONS = {
    "classification": lesson(small.TASK, small.examples),
    "ner": lesson(small.NER_TASK, small.marked),
    "summarization": lesson(small.SUMMARY_TASK, small.summarized),
    "text2text": lesson(small.REWRITE_TASK, small.summarized),
}
CELLS = [
    (name, task)
    for name in registry.names("student")
    for task in LESSONS
    if registry.find("task", task).form in registry.find("student", name).forms
]


class Cell:
    """A student that has learned a task, and the folder that it was saved in; nothing changes either."""

    def __init__(self, name: str, task: str, bert: Path, folder: Path) -> None:
        self.name, self.task, self.lesson = name, task, LESSONS[task]
        self._bert = bert
        self.student = self.learned()
        self.folder = folder
        self.student.save(folder)

    def learned(self, mixture: str = "union", **settings: Any) -> Student:
        tiny = {key: str(self._bert) if value is BERT else value for key, value in TINY[self.name].items()}
        student: Student = registry.build("student", self.name, {**tiny, **settings})
        student.fit(self.lesson.mixture(mixture), self.lesson.validation, self.lesson.task, Silent())
        return student

    def predicted(self) -> list[Prediction]:
        return self.student.predict(self.lesson.texts)
