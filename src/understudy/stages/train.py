"""Training: every arm of the comparison and of the learning curve, each in a folder of its own."""

import random
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import cached_property

from understudy.data.files import folder_bytes, read_examples, write_json
from understudy.data.load import read_labelled
from understudy.example import Example
from understudy.progress import Progress
from understudy.recipe import Recipe
from understudy.run_folder import RunFolder
from understudy.stages.arms import Arm, comparison_arms, curve_arms
from understudy.tasks.task import Task
from understudy.training.mixtures import Mixture


class TrainingSet:
    """The training files of a run, read once, and only where an arm is really trained.

    Raises:
        DataError: A row has no valid target; on first use.
    """

    def __init__(self, run: RunFolder, task: Task) -> None:
        self.run = run
        self.task = task

    @cached_property
    def gold(self) -> list[Example]:
        """The human-labelled examples."""
        return [example for example in self._train if example.source == "gold"]

    @cached_property
    def distilled(self) -> list[Example]:
        """The examples labelled by the teacher."""
        return [example for example in self._train if example.source != "gold"]

    @cached_property
    def validation(self) -> list[Example]:
        """What a student may stop by."""
        return list(read_labelled(self.run.validation, self.task))

    def mixture(self, arm: Arm) -> Mixture:
        """What an arm learns from."""
        distilled: Sequence[Example] = self.distilled
        if arm.distilled is not None:
            distilled = random.Random(arm.seed).sample(distilled, arm.distilled)  # noqa: S311 - a draw, not a secret
        return Mixture.named(arm.mixture, self.gold, distilled)

    @cached_property
    def _train(self) -> list[Example]:
        return list(read_labelled(self.run.train, self.task))


def all_arms(recipe: Recipe, distilled: int) -> list[Arm]:
    """Every arm that a run trains, each once."""
    curve = [arm for arms in curve_arms(recipe, distilled).values() for arm in arms]
    unique = {(arm.name, arm.seed, arm.distilled): arm for arm in [*comparison_arms(recipe), *curve]}
    return list(unique.values())


def train(recipe: Recipe, run: RunFolder, progress: Progress) -> bool:
    """Train every arm that is not trained yet."""
    data = TrainingSet(run, recipe.task.build())
    arms = all_arms(recipe, sum(1 for example in read_examples(run.train) if example.source != "gold"))
    with progress.bar("students", len(arms)) as bar:
        trained = False
        for arm in arms:
            trained |= _train_arm(arm, data, recipe, run, progress)
            bar.advance()
    return trained


def _train_arm(arm: Arm, data: TrainingSet, recipe: Recipe, run: RunFolder, progress: Progress) -> bool:
    inputs = {
        "train": run.train,
        "validation": run.validation,
        "task": recipe.task.fingerprint(),
        "student": arm.fingerprint(),
        "mixture": arm.mixture,
        "distilled": arm.distilled,
    }

    def fit() -> None:
        student = arm.student
        mixture, validation = data.mixture(arm), data.validation  # read before the clock starts
        start = time.perf_counter()
        fitted = student.fit(mixture, validation, data.task, progress)
        seconds = time.perf_counter() - start
        student.save(arm.folder(run))
        record = {
            **asdict(fitted),
            "train_seconds": seconds,
            "parameters": student.count_parameters(),
            "size_bytes": folder_bytes(arm.folder(run)),
        }
        write_json(arm.record(run), record)

    return run.make(arm.record(run), inputs, fit, arm.folder(run))
