"""The sections of a recipe, each with its keys, their types and their defaults."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from understudy import registry
from understudy.data.load import Columns
from understudy.tasks.task import Task
from understudy.teacher.spending import Price


class Section(BaseModel):
    """A part of a recipe: frozen, and without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DataFiles(Section):
    """Where the texts are.

    Attributes:
        pool: Unlabelled texts for the teacher to annotate.
        gold: Human-labelled texts to learn from; without them, only the mixture ``distilled`` can be trained.
        test: Human-labelled texts to be measured on, and nothing else.
        columns: What the columns of these files are called.
        note: What a reader of the figures must know of these labels, such as who made them; shown beside them.
        validation: The share of gold that is held out of training.
        seed: Decides which.
    """

    pool: Path
    test: Path
    gold: Path | None = None
    columns: Columns = Columns()
    note: str | None = None
    validation: Annotated[float, Field(ge=0, lt=1)] = 0.2
    seed: int = 0


class Recording(Section):
    """A pair of OpenAI Batch files: what was asked, and what was answered."""

    requests: Path
    replies: Path


class TeacherSection(Section):
    """Who teaches, and where it answers: from a recording, from an endpoint, or from both.

    Attributes:
        model: The large model's name at its endpoint.
        base_url: The address of an OpenAI-compatible API, up to ``/v1``.
        api_key_env: The environment variable that holds the key.
        replies: Recorded replies, used before anything is asked.
        store: Where replies are kept; ``runs/replies.jsonl`` in the working directory by default.
        price: What it charges.
        headers: Further headers of every request.
        headers_env: Headers that hold a secret, each with the environment variable that it is read from.
        timeout: Seconds to wait for one reply.
        concurrency: How many requests may be under way at a time.
        max_attempts: How often one request is tried.
    """

    model: str
    base_url: str | None = None
    api_key_env: str | None = None
    replies: Recording | None = None
    store: Path | None = None
    price: Price | None = None
    headers: dict[str, str] = {}
    headers_env: dict[str, str] = {}
    timeout: Annotated[float, Field(gt=0)] = 60.0
    concurrency: Annotated[int, Field(gt=0, le=1000)] = 8
    max_attempts: Annotated[int, Field(gt=0)] = 6


class Cleaning(Section):
    """What is kept out of training.

    Attributes:
        max_chars: Texts of so many characters or more are left out.
    """

    max_chars: Annotated[int, Field(gt=0)] = 2048


class LearningCurve(Section):
    """A student trained on growing shares of the teacher's labels, to say what more of them would bring.

    Attributes:
        student: Which of the recipe's students; a cheap one will do.
        points: How many sizes, each half of the next.
    """

    student: str
    points: Annotated[int, Field(ge=2, le=12)] = 5


class StudentSpec(Section):
    """One student of the recipe.

    Attributes:
        name: What it goes by in this run.
        student: Its name in the registry.
        settings: Its constructor's arguments, as far as they are given.
        seeds: How many times it is trained.
    """

    name: str
    student: str
    settings: dict[str, Any]
    seeds: int


class TaskSpec(Section):
    """The task by its registry name and its constructor's arguments."""

    name: str
    settings: dict[str, Any]

    def build(self) -> Task:
        """The task itself."""
        task: Task = registry.build("task", self.name, self.settings)
        return task

    def fingerprint(self) -> dict[str, Any]:
        """What decides the task: all its settings, defaults among them."""
        return {"name": self.name, "settings": registry.settings(self.build())}
