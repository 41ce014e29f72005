"""The arms of a run: one student on one mixture, trained once for every seed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from understudy.recipe import Recipe, StudentSpec
from understudy.registry import build, find, settings
from understudy.run_folder import RunFolder
from understudy.students.student import Student
from understudy.training.checked import Checked

_GOLD = "gold"
CURVE_MIXTURE = "distilled"
"""What a learning curve trains on: its question is what the teacher's labels are worth."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One training: a student, a mixture, a seed.

    Attributes:
        spec: The student as the recipe has it.
        mixture: The mixture's name.
        seed: Of the training, and of the choice of examples where not all are used.
        distilled: How many distilled examples there are to learn from; None for all.
        gold: How many gold ones; None for all.
        matched: Whether it takes as many steps as if it had all examples.
    """

    spec: StudentSpec
    mixture: str
    seed: int
    distilled: int | None = None
    gold: int | None = None
    matched: bool = False

    @property
    def name(self) -> str:
        """``student/mixture``, as in the scores."""
        return f"{self.spec.name}/{self.mixture}"

    @property
    def key(self) -> tuple[str, int, int | None, int | None, bool]:
        """What tells it from every other arm of a run."""
        return self.name, self.seed, self.distilled, self.gold, self.matched

    @property
    def timed(self) -> bool:
        """Whether it is measured how fast it is, which is the same for all its seeds and sizes."""
        return self.seed == 0 and self.whole

    @property
    def whole(self) -> bool:
        """Whether it learns from all examples that there are."""
        return self.distilled is None and self.gold is None

    @property
    def judge(self) -> "Arm | None":
        """The arm that looks over its distilled examples: the same student on the same gold; None where none does."""
        if not isinstance(find("mixture", self.mixture), Checked):
            return None
        return replace(self, mixture=_GOLD, distilled=None, matched=self.matched and self.gold is not None)

    @property
    def control(self) -> bool:
        """Whether its student is there only to be beaten."""
        return is_control(self.spec)

    @property
    def student(self) -> Student:
        """The untrained student."""
        student: Student = build("student", self.spec.student, {**self.spec.settings, "seed": self.seed})
        return student

    def fingerprint(self) -> dict[str, Any]:
        """What decides the student: all its settings, defaults among them, and what it starts from, if anything."""
        student = self.student
        start: dict[str, Any] = getattr(student, "fingerprint", dict)()
        return {"name": self.spec.student, "settings": settings(student), "start": start}

    def folder(self, run: RunFolder) -> Path:
        """Where the trained student lives."""
        sizes = {"": self.distilled, "gold": self.gold}
        some = "".join(f"-{kind}{size}" for kind, size in sizes.items() if size is not None)
        steps = "-matched" if self.matched and some else ""
        return run.students / f"{self.mixture}{some}{steps}" / self.spec.name / f"seed-{self.seed}"

    def record(self, run: RunFolder) -> Path:
        """How its training went."""
        return self.folder(run).with_suffix(".fit.json")

    def answers(self, run: RunFolder) -> Path:
        """What it says of the test texts."""
        return self.folder(run).with_suffix(".test.jsonl")

    def speed(self, run: RunFolder) -> Path:
        """How fast it is."""
        return self.folder(run).with_suffix(".speed.json")


def comparison_arms(recipe: Recipe) -> Iterator[Arm]:
    """Every student on every mixture, with every seed, a control only once; in the order of the recipe."""
    for spec in recipe.students:
        if is_control(spec):
            yield Arm(spec, _GOLD if _GOLD in recipe.mixtures else recipe.mixtures[0], seed=0)
            continue
        for mixture in recipe.mixtures:
            for seed in range(spec.seeds):
                yield Arm(spec, mixture, seed)


def is_control(spec: StudentSpec) -> bool:
    """Whether a student is there only to be beaten."""
    student: type[Student] = find("student", spec.student)
    return student.control


def curve_arms(recipe: Recipe, distilled: int) -> dict[int, list[Arm]]:
    """The arms of the learning curve by the number of distilled examples, largest last; none without a curve.

    Args:
        recipe: Says which student, and how many sizes.
        distilled: How many distilled examples there are.
    """
    curve = recipe.learning_curve
    if curve is None:
        return {}
    spec = next(spec for spec in recipe.students if spec.name == curve.student)
    sizes = sorted({distilled >> halvings for halvings in range(curve.points)} - {0})
    return {
        size: [Arm(spec, CURVE_MIXTURE, seed, None if size == distilled else size) for seed in range(spec.seeds)]
        for size in sizes
    }
