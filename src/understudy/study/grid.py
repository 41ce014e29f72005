"""The grid: every student on every mixture at every size, each once, with all its seeds."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from understudy.errors import DataError
from understudy.recipe import StudentSpec
from understudy.stages.arms import Arm, is_control
from understudy.study.design import Size, Study

_GOLD, _DISTILLED = "gold", "distilled"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many examples there are to learn from, of each source."""

    gold: int
    distilled: int


@dataclass(frozen=True, slots=True)
class Cell:
    """A student on a mixture of so many examples.

    Attributes:
        spec: The student.
        mixture: The mixture.
        gold: How many gold examples there are to learn from; None for all of them.
        distilled: How many distilled ones.
        matched: Whether learning from few takes as many steps as learning from all.
    """

    spec: StudentSpec
    mixture: str
    gold: int | None = None
    distilled: int | None = None
    matched: bool = False

    @property
    def name(self) -> str:
        """``student/mixture``, and the sizes where they are not all there is."""
        sizes = {"gold": self.gold, "distilled": self.distilled}
        some = [f"{size:,} {source}" for source, size in sizes.items() if size is not None]
        return ", ".join([f"{self.spec.name}/{self.mixture}", *some])

    @property
    def whole(self) -> bool:
        """Whether it learns from all examples that its mixture draws on."""
        return self.gold is None and self.distilled is None

    @property
    def arms(self) -> list[Arm]:
        """Its trainings, one for each seed."""
        matched = self.matched and not self.whole
        return [
            Arm(self.spec, self.mixture, seed, self.distilled, self.gold, matched) for seed in range(self.spec.seeds)
        ]


def grid(study: Study, counts: Counts) -> list[Cell]:
    """Every cell of the study, the whole ones first, and among those gold alone: the control.

    Raises:
        DataError: A size is larger than what there is.
    """
    sizes = dict.fromkeys([(None, None), *_sizes(study, counts), *_claimed(study, counts)])
    return list({cell.name: cell for gold, distilled in sizes for cell in _cells(study, gold, distilled)}.values())


def cell_of(study: Study, spec: StudentSpec, mixture: str, gold: int | None, distilled: int | None) -> Cell:
    """A cell by its size; the examples of a source that its mixture does not draw on make no difference."""
    return Cell(
        spec,
        mixture,
        None if mixture == _DISTILLED else gold,
        None if mixture == _GOLD else distilled,
        study.steps == "matched",
    )


def size_of(size: Size, there_are: int, where: str) -> int | None:
    """A size as a number; None for all that there are.

    Raises:
        DataError: There are not so many.
    """
    if size == "all" or size == there_are:  # noqa: PLR1714 - in this form mypy sees that a number is left
        return None
    if size > there_are:
        raise DataError(f"{where}: {size:,} of {there_are:,} examples to learn from; expected no more than there are")
    return size


def arms_of(cells: list[Cell]) -> list[Arm]:
    """Every training that the cells need, the judges of looked-over ones among them, each once."""
    arms = [arm for cell in cells for arm in cell.arms]
    judges = [arm.judge for arm in arms if arm.judge is not None]
    return list({arm.key: arm for arm in [*judges, *arms]}.values())


def _sizes(study: Study, counts: Counts) -> Iterator[tuple[int | None, int | None]]:
    gold = [size_of(size, counts.gold, "gold") for size in study.gold]
    distilled = [size_of(size, counts.distilled, "distilled") for size in study.distilled]
    if study.crossed:
        yield from product(gold, distilled)
    else:
        yield from ((size, None) for size in gold)
        yield from ((None, size) for size in distilled)


def _claimed(study: Study, counts: Counts) -> Iterator[tuple[int | None, int | None]]:
    for claim in study.claims:
        yield size_of(claim.gold, counts.gold, "claims"), size_of(claim.distilled, counts.distilled, "claims")


def _cells(study: Study, gold: int | None, distilled: int | None) -> Iterator[Cell]:
    for spec in study.recipe.students:
        if is_control(spec):
            yield Cell(spec.model_copy(update={"seeds": 1}), study.recipe.mixtures[0])
            continue
        for mixture in study.recipe.mixtures:
            yield cell_of(study, spec, mixture, gold, distilled)
