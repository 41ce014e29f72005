"""Training: every arm of the comparison and of the learning curve, each in a folder of its own."""

import random
import time
from collections.abc import Sequence
from dataclasses import asdict

from understudy.data.files import folder_bytes, read_examples, write_json
from understudy.example import Example
from understudy.progress import Progress
from understudy.recipe import Recipe
from understudy.run_folder import RunFolder
from understudy.stages.arms import Arm, comparison_arms, curve_arms
from understudy.tasks.task import Task
from understudy.training.mixtures import Mixture


class TrainingSet:
    """The training files of a run, read once."""

    def __init__(self, run: RunFolder) -> None:
        examples = list(read_examples(run.train))
        self.gold = [example for example in examples if example.source == "gold"]
        self.distilled = [example for example in examples if example.source != "gold"]
        self.validation = list(read_examples(run.validation))

    def mixture(self, arm: Arm) -> Mixture:
        """What an arm learns from."""
        distilled: Sequence[Example] = self.distilled
        if arm.distilled is not None:
            distilled = random.Random(arm.seed).sample(distilled, arm.distilled)  # noqa: S311 - a draw, not a secret
        return Mixture.named(arm.mixture, self.gold, distilled)


def all_arms(recipe: Recipe, distilled: int) -> list[Arm]:
    """Every arm that a run trains, each once."""
    curve = [arm for arms in curve_arms(recipe, distilled).values() for arm in arms]
    unique = {(arm.name, arm.seed, arm.distilled): arm for arm in [*comparison_arms(recipe), *curve]}
    return list(unique.values())


def train(recipe: Recipe, run: RunFolder, progress: Progress) -> bool:
    """Train every arm that is not trained yet."""
    data = TrainingSet(run)
    arms = all_arms(recipe, len(data.distilled))
    task = recipe.task.build()
    with progress.bar("students", len(arms)) as bar:
        trained = False
        for arm in arms:
            trained |= _train_arm(arm, data, task, recipe, run, progress)
            bar.advance()
    return trained


def _train_arm(arm: Arm, data: TrainingSet, task: Task, recipe: Recipe, run: RunFolder, progress: Progress) -> bool:
    inputs = {
        "train": run.train,
        "validation": run.validation,
        "task": recipe.task.model_dump(),
        "student": arm.spec.student,
        "settings": arm.spec.settings,
        "mixture": arm.mixture,
        "seed": arm.seed,
        "distilled": arm.distilled,
    }

    def fit() -> None:
        student = arm.student
        start = time.perf_counter()
        fitted = student.fit(data.mixture(arm), data.validation, task, progress)
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
