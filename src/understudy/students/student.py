"""The seam between a student and everything else, and the folder that a student lives in."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

from understudy import registry
from understudy.data.files import replacing_folder, write_json
from understudy.errors import ModelError, UnderstudyError
from understudy.example import Example, Prediction
from understudy.progress import Progress
from understudy.tasks.task import Form, Task
from understudy.training.mixtures import Mixture

MANIFEST = "model.json"
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Fit:
    """How a training went.

    Attributes:
        steps: Optimiser steps taken (boosting rounds for trees).
        history: Scores on validation along the way, as (progress u, headline metric), where the student looked.
    """

    steps: int
    history: list[tuple[float, float]] = field(default_factory=list)


class Predictor(Protocol):
    """Anything that answers the task: a student, or the teacher itself."""

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """One prediction for each text, in order."""


class Student(Predictor, Protocol):
    """A small model. Its keyword-only constructor arguments are its hyperparameters; `seed` is one of them.

    One that starts from something outside its settings (pretrained weights) also has ``fingerprint() -> dict``, which
    tells one start from another.

    Attributes:
        forms: The forms of target that it can learn to give.
        control: Whether it is there only to be beaten, like a text's beginning as its summary. A control is fitted
            once, whatever mixtures and seeds there are; all others are compared with it, and it is never chosen.
        copies: Whether it answers with sentences of the text where the task asks for a text, and writes none itself.
    """

    forms: ClassVar[frozenset[Form]]
    control: ClassVar[bool]
    copies: ClassVar[bool]

    def check_available(self) -> None:
        """Find out whether it can be trained here, before anything is spent on what to train it on.

        Raises:
            MissingExtra: A package is not installed.
            ModelError: Pretrained weights cannot be had.
        """

    def fit(self, mixture: Mixture, validation: Sequence[Example], task: Task, progress: Progress) -> Fit:
        """Learn from the mixture; validation may decide when to stop, and is never trained on."""

    def count_parameters(self) -> int:
        """How many learned numbers the fitted student holds."""

    def save(self, folder: Path) -> None:
        """Write the fitted student as a folder, whole or not at all."""

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read back a student that predicts exactly as it did when it was saved.

        Raises:
            ModelError: The folder does not hold one.
        """


@dataclass(frozen=True, slots=True)
class Manifest:
    """What ``model.json`` says: which student with which settings, and for which task."""

    student: str
    settings: Mapping[str, Any]
    task_name: str
    task: Task
    temperature: float


@contextmanager
def model_folder(folder: Path, student: object, task: Task, temperature: float = 1.0) -> Iterator[Path]:
    """The folder to write a model's parts into; the manifest is added, and the whole takes its place at the end.

    Raises:
        ModelError: Something other than a model stands there, which is not ours to remove.
    """
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir()) and not (folder / MANIFEST).exists()):
        raise ModelError(f"{folder}: holds something other than a model; choose another place, or empty it")
    with replacing_folder(folder) as part:
        yield part
        manifest = {
            "format": FORMAT,
            "student": _described("student", student),
            "task": _described("task", task),
            "temperature": temperature,
        }
        write_json(part / MANIFEST, manifest)


def read_manifest(folder: Path) -> Manifest:
    """What a model folder says of itself.

    Raises:
        ModelError: There is no manifest, or it is not one that this version can read.
    """
    path = folder / MANIFEST
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["format"] != FORMAT:
            raise ModelError(f"{path}: format {found['format']!r}; this version reads format {FORMAT}")
        student, task = found["student"], found["task"]
        return Manifest(
            student=student["name"],
            settings=_settings("student", student),
            task_name=task["name"],
            task=registry.build("task", task["name"], _settings("task", task)),
            temperature=_temperature(found),
        )
    except FileNotFoundError:
        raise ModelError(
            f"{folder}: not a model folder (no {MANIFEST} in it); expected one that a run has written"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(f"{path}: not a model's manifest ({type(error).__name__}: {error})") from None
    except UnderstudyError as error:
        raise ModelError(f"{path}: {error}") from None


@contextmanager
def reading(folder: Path) -> Iterator[Manifest]:
    """The manifest, for the time in which a student reads its parts; whatever is wrong with those is a ModelError."""
    manifest = read_manifest(folder)
    try:
        yield manifest
    except UnderstudyError:
        raise
    except Exception as error:  # a broken part can raise anything in the library that reads it
        raise ModelError(f"{folder}: a broken {manifest.student} model ({type(error).__name__}: {error})") from error


def load(folder: Path | str) -> Student:
    """The student in a model folder, ready to predict.

    Raises:
        ModelError: The folder is not a model, is broken, or names a student that does not exist here.
    """
    folder = Path(folder)
    student: Student = registry.find("student", read_manifest(folder).student).load(folder)
    return student


def _described(kind: str, component: object) -> dict[str, Any]:
    for name in registry.names(kind):
        if registry.find(kind, name) is type(component):
            return {"name": name, "settings": registry.settings(component)}
    raise ModelError(f"{type(component).__name__} is no registered {kind}, so that it could not be loaded again")


def _temperature(found: Mapping[str, Any]) -> float:
    temperature = float(found.get("temperature", 1.0))
    if not (math.isfinite(temperature) and temperature > 0):
        raise ValueError(f"temperature {temperature!r}; expected a number above 0")
    return temperature


def _settings(kind: str, described: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `_described`: settings that the component of that name accepts.

    Raises:
        ModelError: It does not accept them.
    """
    from pydantic import ValidationError

    try:
        return registry.signature(kind, described["name"]).model_validate(described["settings"]).model_dump()
    except ValidationError as error:
        mistake = error.errors(include_url=False)[0]
        where = ".".join(map(str, mistake["loc"]))
        raise ModelError(f"{kind} {described['name']!r}: setting {where!r}: {mistake['msg']}") from None
