"""Training: every arm of the comparison and of the learning curve, each in a folder of its own."""

import random
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import cached_property, partial

from understudy.data.files import folder_bytes, read_examples, write_json
from understudy.data.load import read_labelled
from understudy.example import Example
from understudy.progress import Progress
from understudy.recipe import Recipe
from understudy.registry import find
from understudy.run_folder import RunFolder
from understudy.stages.arms import Arm, comparison_arms, curve_arms
from understudy.stages.side_by_side import side_by_side
from understudy.students.student import load
from understudy.tasks.task import Task
from understudy.training.checked import Checked
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
        gold, distilled = _some(self.gold, arm.gold, arm.seed), _some(self.distilled, arm.distilled, arm.seed)
        if arm.judge is not None:
            distilled = self._looked_over(distilled, arm.judge, find("mixture", arm.mixture))
        given, there_are = len(gold) + len(distilled), len(self.gold) + len(self.distilled)
        return Mixture.named(arm.mixture, gold, distilled, there_are / given if arm.matched and given else 1.0)

    def _looked_over(self, distilled: Sequence[Example], judge: Arm, mixture: Checked) -> list[Example]:
        """The distilled examples as a student that has learned from gold alone leaves them."""
        answers = load(judge.folder(self.run)).predict([example.text for example in distilled])
        return mixture.look_over(distilled, answers, self.task)

    @cached_property
    def _train(self) -> list[Example]:
        return list(read_labelled(self.run.train, self.task))


def _some(examples: Sequence[Example], count: int | None, seed: int) -> Sequence[Example]:
    """So many of the examples, drawn so that fewer of them are a part of more."""
    if count is None or count >= len(examples):
        return examples
    order = random.Random(seed).sample(range(len(examples)), len(examples))  # noqa: S311 - a draw, not a secret
    return [examples[place] for place in sorted(order[:count])]


def all_arms(recipe: Recipe, distilled: int) -> list[Arm]:
    """Every arm that a run trains, each once."""
    curve = [arm for arms in curve_arms(recipe, distilled).values() for arm in arms]
    return list({arm.key: arm for arm in [*comparison_arms(recipe), *curve]}.values())


def train(recipe: Recipe, run: RunFolder, progress: Progress, jobs: int = 1) -> bool:
    """Train every arm that is not trained yet, so many at a time."""
    arms = all_arms(recipe, sum(1 for example in read_examples(run.train) if example.source != "gold"))
    return train_arms(arms, recipe, run, progress, jobs)


def train_arms(arms: Sequence[Arm], recipe: Recipe, run: RunFolder, progress: Progress, jobs: int = 1) -> bool:
    """Train those of the arms that are not trained yet, judges before those whose examples they look over."""
    data = TrainingSet(RunFolder(run.path), recipe.task.build())
    waves = [[arm for arm in arms if (arm.judge is not None) is judged] for judged in (False, True)]
    work = partial(_train_arm, data=data, recipe=recipe)
    trained = False
    with progress.bar("students", len(arms)) as bar:
        for wave in waves:
            for new in side_by_side(work, wave, jobs, progress):
                trained |= new
                bar.advance()
    return trained


def _train_arm(arm: Arm, progress: Progress, data: TrainingSet, recipe: Recipe) -> bool:
    run = replace(data.run, progress=progress)
    inputs = {
        "train": run.train,
        "validation": run.validation,
        "task": recipe.task.fingerprint(),
        "student": arm.fingerprint(),
        "mixture": arm.mixture,
        "distilled": arm.distilled,
        **({"gold": arm.gold, "matched": arm.matched} if arm.gold is not None or arm.matched else {}),
        **({"judge": arm.judge.record(run)} if arm.judge is not None else {}),
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
