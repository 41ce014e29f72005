"""Students on one data set without a teacher: each is trained, saved, loaded and measured on the same held-out texts.

What is done stays done: an arm whose result lies in the output folder is not trained again.
"""

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from understudy import registry
from understudy.console import Terminal
from understudy.data.files import folder_bytes, write_json
from understudy.evaluation.bootstrap import Bootstrap
from understudy.example import Example, Prediction
from understudy.progress import Progress
from understudy.students.student import Predictor, Student, load
from understudy.tasks.task import Task
from understudy.training.mixtures import Mixture

_TIMED = 100
"""Texts that are asked one by one for the latency."""


@dataclass(frozen=True)
class Arm:
    """A student, its settings, and what it is trained on."""

    student: str
    trained_on: str
    examples: Sequence[Example]
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name in the table and, made fit for it, of the file."""
        told = ", ".join(f"{key} {value}" for key, value in self.settings.items() if key != "scratch")
        return f"{self.student} ({told})" if told else self.student


@dataclass(frozen=True)
class DataSet:
    """What every arm is measured on, and what it may stop by."""

    task: Task
    validation: Sequence[Example]
    test: Sequence[Example]


@dataclass(frozen=True)
class Result:
    """How an arm did: each metric as (mean, low, high), and what it took."""

    student: str
    trained_on: str
    metrics: Mapping[str, tuple[float, float, float]]
    train_seconds: float
    p50_ms: float
    parameters: int
    size_bytes: int


def results(data: DataSet, arms: Sequence[Arm], out: Path) -> Iterator[Result]:
    """Each arm's result, as soon as it is there."""
    for arm in arms:
        place = out / re.sub(r"[^\w.-]+", "-", f"{arm.name}-{arm.trained_on}")
        record = place.with_name(f"{place.name}.json")
        if not record.is_file():
            with Terminal() as progress:
                write_json(record, asdict(_measured(data, arm, place, progress)))
        yield Result(**json.loads(record.read_text(encoding="utf-8")))


def table(found: Sequence[Result], metrics: Mapping[str, str]) -> str:
    """The results as Markdown, with the named metrics and their 95 % intervals."""
    head = ["student", "trained on", *metrics.values(), "training, s", "ms a text (p50)", "MB"]
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for result in found:
        scores = [_interval(*result.metrics[metric]) for metric in metrics]
        facts = [f"{result.train_seconds:.0f}", f"{result.p50_ms:.1f}", f"{result.size_bytes / 1e6:.1f}"]
        lines.append(f"| {' | '.join([result.student, result.trained_on, *scores, *facts])} |")
    return "\n".join(lines)


def scored(data: DataSet, answers: Sequence[Prediction]) -> dict[str, tuple[float, float, float]]:
    """Every metric of some answers to the test texts, with its interval over the items."""
    gold, texts = [target_of(example) for example in data.test], [example.text for example in data.test]
    tally = data.task.tally(gold, [answer.target for answer in answers], texts)
    estimates = {name: found.estimate() for name, found in Bootstrap(len(data.test)).distributions([tally]).items()}
    return {name: (found.mean, found.low, found.high) for name, found in estimates.items()}


def target_of(example: Example) -> Any:
    """The target of an example that has one."""
    assert example.target is not None
    return example.target


def _measured(data: DataSet, arm: Arm, place: Path, progress: Progress) -> Result:
    student: Student = registry.build("student", arm.student, arm.settings)
    start = time.perf_counter()
    student.fit(Mixture.named("gold", arm.examples, []), data.validation, data.task, progress)
    seconds = time.perf_counter() - start
    student.save(place)
    again = load(place)
    answers = again.predict([example.text for example in data.test])
    return Result(
        student=arm.name,
        trained_on=arm.trained_on,
        metrics=scored(data, answers),
        train_seconds=seconds,
        p50_ms=_p50(again, [example.text for example in data.test[:_TIMED]]),
        parameters=again.count_parameters(),
        size_bytes=folder_bytes(place),
    )


def _p50(predictor: Predictor, texts: Sequence[str]) -> float:
    """The median time for one text, in milliseconds."""
    times = []
    for text in texts:
        start = time.perf_counter()
        predictor.predict([text])
        times.append(1000 * (time.perf_counter() - start))
    return sorted(times)[len(times) // 2]


def _interval(mean: float, low: float, high: float) -> str:
    return f"{mean:.3f} [{low:.3f}, {high:.3f}]"
