"""The recipe: one YAML file that says what is taught, to whom, from which data. Every mistake is reported at once."""

import re
from collections.abc import Hashable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, PositiveInt, create_model

from understudy import registry
from understudy.data.load import Columns
from understudy.errors import RecipeError, UnderstudyError
from understudy.mistakes import Model, validated
from understudy.tasks.task import Task
from understudy.teacher.response import holds_secret
from understudy.teacher.spending import Price

_NAME = r"\w[\w.-]*"
_MIXTURES = ["gold", "distilled", "simple_mix"]
_SAMPLE = "the text of an example"
_WITH_USER = re.compile(r"[^/?#]*//[^/?#]*@")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DataFiles(_Section):
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


class Recording(_Section):
    """A pair of OpenAI Batch files: what was asked, and what was answered."""

    requests: Path
    replies: Path


class TeacherSection(_Section):
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


class Cleaning(_Section):
    """What is kept out of training.

    Attributes:
        max_chars: Texts of so many characters or more are left out.
    """

    max_chars: Annotated[int, Field(gt=0)] = 2048


class LearningCurve(_Section):
    """A student trained on growing shares of the teacher's labels, to say what more of them would bring.

    Attributes:
        student: Which of the recipe's students; a cheap one will do.
        points: How many sizes, each half of the next.
    """

    student: str
    points: Annotated[int, Field(ge=2, le=12)] = 5


class StudentSpec(_Section):
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


class TaskSpec(_Section):
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


class _Written(_Section):
    """The recipe as it is written, before the names in it are looked up."""

    name: Annotated[str, Field(pattern=f"^{_NAME}$")]
    task: dict[str, Any]
    data: DataFiles
    teacher: TeacherSection
    clean: Cleaning = Cleaning()
    students: Annotated[dict[str, dict[str, Any] | None], Field(min_length=1)]
    mixtures: Annotated[list[str], Field(min_length=1)] = _MIXTURES
    seeds: PositiveInt = 3
    learning_curve: LearningCurve | None = None


class Recipe(_Section):
    """What to teach, to whom, from which data; every name in it exists and every path is absolute.

    Attributes:
        name: The run's name, and its folder's.
        task: The task.
        data: The team's files.
        teacher: The large model.
        clean: What is kept out of training.
        students: The small models to compare.
        mixtures: How gold and distilled examples share the training; ``gold``, the control, is always among them.
        learning_curve: Which student shows what more labels would bring, if any.
        source: The file that it was read from.
    """

    name: str
    task: TaskSpec
    data: DataFiles
    teacher: TeacherSection
    clean: Cleaning
    students: tuple[StudentSpec, ...]
    mixtures: tuple[str, ...]
    learning_curve: LearningCurve | None
    source: Path | None = None

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a recipe; paths in it are taken from the folder that it lies in.

        Raises:
            RecipeError: It cannot be read, or holds mistakes; all of them are listed, each with its path.
        """
        path = Path(path)
        written = _read_yaml(path)
        problems: list[str] = []
        shape = validated(_Written, written, "", problems)
        task = _task(written.get("task"), problems)
        students = _students(written, 1 if shape is None else shape.seeds, problems)
        mixtures = _mixtures(written, problems)
        problems.extend(_inconsistencies(written))
        if problems or shape is None or task is None:
            raise RecipeError(str(path), problems)
        base = path.resolve().parent
        return cls(
            name=shape.name,
            task=task,
            data=_absolute(shape.data, base),
            teacher=_absolute(shape.teacher, base),
            clean=shape.clean,
            students=tuple(_beside(spec, base) for spec in students),
            mixtures=_with_control(mixtures, shape.data),
            learning_curve=shape.learning_curve,
            source=path.resolve(),
        )


class _UniqueKeyLoader(yaml.SafeLoader):
    """YAML in which a key that stands twice is a mistake instead of a silent loss."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            mark = key_node.start_mark
            if key_node.tag == "tag:yaml.org,2002:merge":  # a few lines of them could grow without bound
                raise yaml.MarkedYAMLError(problem="<< is not known here; write the keys out", problem_mark=mark)
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable):  # any other is refused below
                if key in seen:
                    raise yaml.MarkedYAMLError(problem=f"the key {key!r} stands twice", problem_mark=mark)
                seen.add(key)
        return super().construct_mapping(node, deep)


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        written = yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeyLoader)  # noqa: S506 - a safe loader
    except OSError as error:
        raise RecipeError(str(path), [f"cannot be read ({error.strerror})"]) from None
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise RecipeError(str(path), [f"{line}not valid YAML: {error.problem}"]) from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, TypeError, ValueError) as error:
        raise RecipeError(str(path), [f"not valid YAML: {' '.join(str(error).split())}"]) from None
    if not isinstance(written, dict):
        raise RecipeError(str(path), ["not a recipe: expected keys such as name, task, data, teacher, students"])
    return written


def _component(
    kind: str, name: str, settings: Mapping[str, Any], path: str, problems: list[str], **further: tuple[Any, Any]
) -> dict[str, Any] | None:
    """The settings of a task or student, checked against its constructor's signature; None where they are wrong.

    Args:
        kind: Task or student.
        name: Its name in the registry.
        settings: What the recipe gives it.
        path: Where they stand in the recipe.
        problems: Mistakes are added here.
        further: Keys that may stand beside the settings, each with its type and default.
    """
    keys: dict[str, Any] = dict(further)
    checked = validated(
        create_model(name, __base__=registry.signature(kind, name), **keys), dict(settings), path, problems
    )
    return None if checked is None else checked.model_dump(exclude_unset=True)


def _task(written: Any, problems: list[str]) -> TaskSpec | None:
    if not isinstance(written, dict):
        return None
    name = written.get("type")
    if not isinstance(name, str) or name not in registry.names("task"):
        problems.append(f"task.type: {_unknown('task', name)}")
        return None
    settings = {key: value for key, value in written.items() if key != "type"}
    checked = _component("task", name, settings, "task", problems)
    if checked is None:
        return None
    task = TaskSpec(name=name, settings=checked)
    try:
        messages = task.build().messages(_SAMPLE)
    except UnderstudyError as error:
        problems.append(f"task: {error}")
        return None
    if not any(_SAMPLE in message["content"] for message in messages):
        problems.append("task.prompt: the text to be answered does not stand in it; expected {{ text }}")
        return None
    return task


def _students(written: Mapping[str, Any], seeds: int, problems: list[str]) -> list[StudentSpec]:
    """The students, each trained so many times unless it says otherwise; what is no mapping is told elsewhere."""
    found = []
    for name, entry in _mapping(written.get("students")).items():
        path, given = f"students.{name}", {} if entry is None else entry
        if not isinstance(name, str) or not isinstance(given, dict):
            continue
        if not re.fullmatch(_NAME, name) or name == "teacher":
            problems.append(f"{path}: not a name for a student (it names a folder); expected letters, digits, . _ -")
            continue
        student = given.get("student", name)
        if not isinstance(student, str) or student not in registry.names("student"):
            problems.append(f"{path}{'.student' if 'student' in given else ''}: {_unknown('student', student)}")
            continue
        if "seed" in given:
            problems.append(f"{path}.seed: a run draws its own seeds; expected seeds, how many of them")
        settings = _component(
            "student", student, given, path, problems, student=(str, name), seeds=(PositiveInt, seeds)
        )
        problems.extend(_unfit(written, student, path))
        if settings is not None:
            times = settings.pop("seeds", seeds)
            settings.pop("student", None)
            found.append(StudentSpec(name=name, student=student, settings=settings, seeds=times))
    return found


def _unfit(written: Mapping[str, Any], student: str, path: str) -> list[str]:
    """A problem where the student cannot learn the task."""
    task, able = _mapping(written.get("task")).get("type"), registry.find("student", student).tasks
    if not isinstance(task, str) or task not in registry.names("task") or task in able:
        return []
    return [f"{path}: the student {student!r} does not do {task}; it does: {', '.join(sorted(able))}"]


def _mixtures(written: Mapping[str, Any], problems: list[str]) -> list[str]:
    names = written.get("mixtures", _MIXTURES)
    names = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    problems.extend(
        f"mixtures.{place}: {_unknown('mixture', name)}"
        for place, name in enumerate(names)
        if name not in registry.names("mixture")
    )
    return names


def _inconsistencies(written: Mapping[str, Any]) -> list[str]:
    """Mistakes that lie between two keys of a recipe."""
    teacher, data, curve = (_mapping(written.get(name)) for name in ("teacher", "data", "learning_curve"))
    students = [str(name) for name in _mapping(written.get("students"))]
    found = _secrets(teacher)
    if teacher and teacher.get("base_url") is None and teacher.get("replies") is None:
        found.append("teacher: neither base_url nor replies; expected an endpoint to ask, recorded replies, or both")
    if isinstance(curve.get("student"), str) and curve["student"] not in students:
        found.append(f"learning_curve.student: {registry.unknown('student', curve['student'], students)}")
    if data and data.get("gold") is None and written.get("mixtures") != ["distilled"]:
        found.append("mixtures: without data.gold there is nothing to mix; expected [distilled], or data.gold")
    return found


def _secrets(teacher: Mapping[Any, Any]) -> list[str]:
    """Secrets in the recipe, which is copied into the run's folder; none of them is repeated here."""
    found = [
        f"teacher.headers.{name}: a secret does not belong in a recipe; expected headers_env: {{{name}: ITS_VARIABLE}}"
        for name in filter(holds_secret, map(str, _mapping(teacher.get("headers"))))
    ]
    if _WITH_USER.match(str(teacher.get("base_url"))):
        found.append("teacher.base_url: holds a user or password; expected the address alone, and api_key_env")
    return found


def _mapping(value: Any) -> dict[Any, Any]:
    """The value where it is a mapping; an empty one where it is not, which is told elsewhere."""
    return value if isinstance(value, dict) else {}


def _unknown(kind: str, name: Any) -> str:
    """One line for what is not the name of a component."""
    if isinstance(name, str):
        return registry.unknown(kind, name, registry.names(kind))
    return f"no name of a {kind}; expected one of: {', '.join(registry.names(kind))}"


def _with_control(mixtures: Iterable[str], data: DataFiles) -> tuple[str, ...]:
    """The mixtures, each once, gold first among them where there is gold."""
    control = ["gold"] if data.gold is not None else []
    return tuple(dict.fromkeys([*control, *mixtures]))


def _beside(spec: StudentSpec, base: Path) -> StudentSpec:
    """The same student; where its ``model`` names a folder beside the recipe, that folder is meant."""
    model = spec.settings.get("model")
    if not isinstance(model, str) or not model.strip() or not (folder := base / Path(model).expanduser()).is_dir():
        return spec
    return spec.model_copy(update={"settings": {**spec.settings, "model": str(folder)}})


def _absolute(section: Model, base: Path) -> Model:
    """The same section with its paths taken from the recipe's folder."""
    changed: dict[str, Any] = {}
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, Path):
            changed[name] = base / value.expanduser()
        elif isinstance(value, BaseModel):
            changed[name] = _absolute(value, base)
    return section.model_copy(update=changed)
