"""The recipe: one YAML file that says what is taught, to whom, from which data. Every mistake is reported at once."""

import difflib
import inspect
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar, get_type_hints

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from understudy import registry
from understudy.data.load import Columns
from understudy.errors import RecipeError, UnderstudyError, UnknownName
from understudy.tasks.task import Task

Model = TypeVar("Model", bound=BaseModel)

_NAME = r"\w[\w.-]*"
_RESERVED = {"student", "seeds"}


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DataFiles(_Section):
    """Where the texts are.

    Attributes:
        pool: Unlabelled texts for the teacher to annotate.
        gold: Human-labelled texts to learn from; without them, only the mixture ``distilled`` can be trained.
        test: Human-labelled texts to be measured on, and nothing else.
        columns: What the columns of these files are called.
        validation: The share of gold that is held out of training.
        seed: Decides which.
    """

    pool: Path
    test: Path
    gold: Path | None = None
    columns: Columns = Columns()
    validation: Annotated[float, Field(ge=0, lt=1)] = 0.2
    seed: int = 0


class Recording(_Section):
    """A pair of OpenAI Batch files: what was asked, and what was answered."""

    requests: Path
    replies: Path


class Price(_Section):
    """What the teacher charges, in USD for a million tokens read and written."""

    input: Annotated[float, Field(ge=0)]
    output: Annotated[float, Field(ge=0)]


class TeacherSection(_Section):
    """Who teaches, and where it answers: from a recording, from an endpoint, or from both.

    Attributes:
        model: The large model's name at its endpoint.
        base_url: The address of an OpenAI-compatible API, up to ``/v1``.
        api_key_env: The environment variable that holds the key.
        replies: Recorded replies, used before anything is asked.
        store: Where replies are kept; ``replies.jsonl`` beside the run folders by default.
        price: What it charges.
        headers: Further headers of every request.
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


class _Written(_Section):
    """The recipe as it is written, before the names in it are looked up."""

    name: Annotated[str, Field(pattern=f"^{_NAME}$")]
    task: dict[str, Any]
    data: DataFiles
    teacher: TeacherSection
    clean: Cleaning = Cleaning()
    students: Annotated[dict[str, dict[str, Any] | None], Field(min_length=1)]
    mixtures: Annotated[list[str], Field(min_length=1)] = ["gold", "distilled", "simple_mix"]
    seeds: Annotated[int, Field(gt=0)] = 3
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
        shape = _validated(_Written, written, "", problems)
        task = _task(written.get("task"), problems)
        students = _students(written, problems)
        mixtures = _mixtures(written, problems)
        if shape is not None:
            problems.extend(_inconsistencies(shape, [student.name for student in students]))
        if problems or shape is None or task is None:
            raise RecipeError(str(path), problems)
        base = path.resolve().parent
        return cls(
            name=shape.name,
            task=task,
            data=_absolute(shape.data, base),
            teacher=_absolute(shape.teacher, base),
            clean=shape.clean,
            students=tuple(students),
            mixtures=_with_control(mixtures, shape.data),
            learning_curve=shape.learning_curve,
            source=path.resolve(),
        )


class _UniqueKeyLoader(yaml.SafeLoader):
    """YAML in which a key that stands twice is a mistake instead of a silent loss."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                raise yaml.MarkedYAMLError(
                    problem=f"the key {key!r} stands twice", problem_mark=node.value[place][0].start_mark
                )
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
        raise RecipeError(str(path), [f"not valid YAML: {error}"]) from None
    if not isinstance(written, dict):
        raise RecipeError(str(path), ["not a recipe: expected keys such as name, task, data, teacher, students"])
    return written


def _validated(model: type[Model], value: Any, path: str, problems: list[str]) -> Model | None:
    """The value as this model; where it is none, its mistakes are added to the problems."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        problems.extend(_problem(model, path, mistake) for mistake in error.errors(include_url=False))
        return None


def _problem(model: type[BaseModel], path: str, mistake: Mapping[str, Any]) -> str:
    """One line: where the mistake is, what was expected, what was found."""
    where = ".".join([*filter(None, [path]), *(str(part) for part in mistake["loc"] if part != "[key]")])
    if mistake["type"] in {"extra_forbidden", "unexpected_keyword_argument"}:
        known = _fields(model, mistake["loc"][:-1])
        close = difflib.get_close_matches(str(mistake["loc"][-1]), known, n=1)
        return f"{where}: unknown key; " + (f"did you mean {close[0]!r}?" if close else f"expected: {', '.join(known)}")
    if mistake["type"] == "missing":
        return f"{where}: missing"
    found = mistake["input"]
    shown = f" (found {found!r})" if isinstance(found, str | int | float | bool | None) else ""
    return f"{where}: {mistake['msg'][0].lower()}{mistake['msg'][1:]}{shown}"


def _fields(model: Any, location: Iterable[Any]) -> list[str]:
    """The keys that a part of a model knows."""
    for part in location:
        field = getattr(model, "model_fields", {}).get(part)
        options = [] if field is None else [field.annotation, *getattr(field.annotation, "__args__", ())]
        model = next((option for option in options if inspect.isclass(option) and option is not type(None)), model)
    return list(getattr(model, "model_fields", None) or getattr(model, "__dataclass_fields__", {}))


def _component(
    kind: str, name: str, settings: Mapping[str, Any], path: str, problems: list[str]
) -> dict[str, Any] | None:
    """The settings of a task or student, checked against its constructor's signature; None where they are wrong."""
    try:
        constructor = registry.find(kind, name).__init__
    except UnknownName as error:
        problems.append(f"{path}: {error}")
        return None
    hints = get_type_hints(constructor)
    fields: dict[str, Any] = {
        parameter.name: (hints[parameter.name], ... if parameter.default is parameter.empty else parameter.default)
        for parameter in inspect.signature(constructor).parameters.values()
        if parameter.name != "self"
    }
    signature = create_model(name, __config__=ConfigDict(extra="forbid", protected_namespaces=()), **fields)
    checked = _validated(signature, dict(settings), path, problems)
    return None if checked is None else checked.model_dump(exclude_unset=True)


def _task(written: Any, problems: list[str]) -> TaskSpec | None:
    if not isinstance(written, dict):
        return None
    settings = {key: value for key, value in written.items() if key != "type"}
    if "type" not in written:
        problems.append(f"task.type: missing; expected one of: {', '.join(registry.names('task'))}")
        return None
    name = str(written["type"])
    checked = _component("task", name, settings, "task", problems)
    if checked is None:
        return None
    task = TaskSpec(name=name, settings=checked)
    try:
        task.build().messages("a text")
    except UnderstudyError as error:
        problems.append(f"task: {error}")
        return None
    return task


def _students(written: Mapping[str, Any], problems: list[str]) -> list[StudentSpec]:
    entries = written.get("students")
    found = []
    for name, entry in entries.items() if isinstance(entries, dict) else ():
        path, given = f"students.{name}", entry if isinstance(entry, dict) else {}
        student = str(given.get("student", name))
        seeds = given.get("seeds", written.get("seeds", 3))
        settings = {key: value for key, value in given.items() if key not in _RESERVED}
        if not re.fullmatch(_NAME, str(name)) or name == "teacher":
            problems.append(f"{path}: not a name for a student (it names a folder); expected letters, digits, . _ -")
            continue
        if not isinstance(seeds, int) or seeds < 1:
            problems.append(f"{path}.seeds: expected a whole number above 0 (found {seeds!r})")
            continue
        if "seed" in settings:
            problems.append(f"{path}.seed: a run draws its own seeds; expected seeds, how many of them")
            continue
        checked = _component("student", student, settings, path, problems)
        if checked is not None:
            problems.extend(_unfit(written, student, path))
            found.append(StudentSpec(name=str(name), student=student, settings=checked, seeds=seeds))
    return found


def _unfit(written: Mapping[str, Any], student: str, path: str) -> list[str]:
    """A problem where the student cannot learn the task."""
    section = written.get("task")
    task = section.get("type") if isinstance(section, dict) else None
    able = registry.find("student", student).tasks
    if task not in registry.names("task") or task in able:
        return []
    return [f"{path}: the student {student!r} does not do {task}; it does: {', '.join(sorted(able))}"]


def _mixtures(written: Mapping[str, Any], problems: list[str]) -> list[str]:
    names = written.get("mixtures", ["gold", "distilled", "simple_mix"])
    names = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    known = registry.names("mixture")
    problems.extend(
        f"mixtures.{place}: {registry.unknown('mixture', name, known)}"
        for place, name in enumerate(names)
        if name not in known
    )
    return names


def _inconsistencies(recipe: _Written, students: list[str]) -> list[str]:
    """Mistakes that lie between two parts of a recipe."""
    found = []
    if recipe.teacher.base_url is None and recipe.teacher.replies is None:
        found.append("teacher: neither base_url nor replies; expected an endpoint to ask, recorded replies, or both")
    if recipe.learning_curve and recipe.learning_curve.student not in recipe.students:
        found.append(f"learning_curve.student: {registry.unknown('student', recipe.learning_curve.student, students)}")
    if recipe.data.gold is None and recipe.mixtures != ["distilled"]:
        found.append("mixtures: without data.gold there is nothing to mix; expected [distilled], or data.gold")
    return found


def _with_control(mixtures: Iterable[str], data: DataFiles) -> tuple[str, ...]:
    """The mixtures, each once, gold first among them where there is gold."""
    control = ["gold"] if data.gold is not None else []
    return tuple(dict.fromkeys([*control, *mixtures]))


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
