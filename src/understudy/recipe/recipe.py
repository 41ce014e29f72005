"""The recipe: one YAML file that says what is taught, to whom, from which data. Every mistake is reported at once."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, Field

from understudy.data.clean import Cleaning
from understudy.data.files import located
from understudy.errors import RecipeError
from understudy.mistakes import Model, validated
from understudy.recipe.checks import MIXTURES, NAME, inconsistencies, known_mixtures, known_students, known_task
from understudy.recipe.document import read_document
from understudy.recipe.sections import (
    LOCAL,
    Annotation,
    DataFiles,
    Generation,
    LearningCurve,
    Section,
    Seeds,
    StudentSpec,
    TaskSpec,
    TeacherSection,
)


class _Written(Section):
    """The recipe as it is written, before the names in it are looked up."""

    name: Annotated[str, Field(pattern=f"^{NAME}$")]
    task: dict[str, Any]
    data: DataFiles
    teacher: TeacherSection
    annotate: Annotation = Annotation()
    generate: Generation | None = None
    clean: Cleaning = Cleaning()
    students: Annotated[dict[str, dict[str, Any] | None], Field(default_factory=dict)]
    mixtures: Annotated[list[str], Field(min_length=1)] = MIXTURES
    seeds: Seeds = 3
    learning_curve: LearningCurve | None = None


class Recipe(Section):
    """What to teach, to whom, from which data; every name in it exists and every path is absolute.

    Attributes:
        name: The run's name, and its folder's.
        task: The task.
        data: The team's files.
        teacher: The large model.
        annotate: How it is asked about a text.
        generate: What texts it writes, if any.
        clean: What is kept out of training.
        students: The small models to compare; none where the teacher is all that is wanted.
        mixtures: How gold and distilled examples share the training; ``gold``, the control, is always among them.
        learning_curve: Which student shows what more labels would bring, if any.
        source: The file that it was read from.
    """

    name: str
    task: TaskSpec
    data: DataFiles
    teacher: TeacherSection
    annotate: Annotation
    generate: Generation | None
    clean: Cleaning
    students: tuple[StudentSpec, ...]
    mixtures: tuple[str, ...]
    learning_curve: LearningCurve | None
    source: Path | None = None

    @classmethod
    def load(cls, path: Path | str, changed: Mapping[str, Any] | None = None) -> Self:
        """Read a recipe; paths in it are taken from the folder that it lies in.

        Args:
            path: The file.
            changed: Keys that shall say something else than in the file.

        Raises:
            RecipeError: It cannot be read, or holds mistakes; all of them are listed, each with its path.
        """
        path = Path(path)
        written = {**read_document(path), **(changed or {})}
        problems: list[str] = []
        shape = validated(_Written, written, "", problems)
        task = known_task(written.get("task"), problems)
        base = path.resolve().parent
        students = known_students(written, 1 if shape is None else shape.seeds, base, problems)
        mixtures = known_mixtures(written, problems)
        problems.extend(inconsistencies(written))
        if shape is not None and task is not None:
            problems.extend(shape.data.inconsistencies(task.build()))
        if shape is not None and shape.generate is not None and task is not None:
            problems.extend(shape.generate.inconsistencies(task.build(), shape.data.gold))
        if problems or shape is None or task is None:
            raise RecipeError(str(path), problems)
        return cls(
            name=shape.name,
            task=task,
            data=_absolute(shape.data, base),
            teacher=_with_model(_absolute(shape.teacher, base), base),
            annotate=shape.annotate,
            generate=None if shape.generate is None else _absolute(shape.generate, base),
            clean=shape.clean,
            students=tuple(students),
            mixtures=_with_control(mixtures, shape.data),
            learning_curve=shape.learning_curve,
            source=path.resolve(),
        )


def _with_control(mixtures: Iterable[str], data: DataFiles) -> tuple[str, ...]:
    """The mixtures, each once, gold first among them where there is gold."""
    control = ["gold"] if data.gold is not None else []
    return tuple(dict.fromkeys([*control, *mixtures]))


def _with_model(teacher: TeacherSection, base: Path) -> TeacherSection:
    """The same teacher; the folder of a local model is taken from the recipe's, like any path."""
    if not teacher.model.startswith(LOCAL):
        return teacher
    folder = located(teacher.model.removeprefix(LOCAL), base)
    return teacher.model_copy(update={"model": f"{LOCAL}{folder}"})


def _absolute(section: Model, base: Path) -> Model:
    """The same section with its paths taken from the recipe's folder."""
    changed: dict[str, Any] = {}
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, Path):
            changed[name] = located(value, base)
        elif isinstance(value, BaseModel):
            changed[name] = _absolute(value, base)
        elif isinstance(value, tuple):
            changed[name] = tuple(_absolute(part, base) for part in value)
    return section.model_copy(update=changed)
