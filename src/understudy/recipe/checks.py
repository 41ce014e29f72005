"""What a recipe's mistakes are, beyond the types of its keys: names that do not exist, keys that do not go together."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import create_model

from understudy import registry
from understudy.errors import UnderstudyError
from understudy.mistakes import validated
from understudy.recipe.sections import LOCAL, VLLM, Seeds, StudentSpec, TaskSpec
from understudy.students.ranges import recipes_folder
from understudy.tasks.task import types_of
from understudy.teacher.endpoint.response import holds_secret

NAME = r"\w[\w.-]{0,59}"
"""A name is a folder's, too, and that may have 255 bytes: of some letters sixty."""
MIXTURES = ["gold", "distilled", "simple_mix"]
_SAMPLE = "the text of an example"
_VARIABLE = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_WITH_USER = re.compile(r"[^/?#]*//[^/?#]*@")


def _component(
    kind: str,
    name: str,
    settings: Mapping[str, Any],
    path: str,
    problems: list[str],
    context: Mapping[str, Any] | None = None,
    **further: tuple[Any, Any],
) -> dict[str, Any] | None:
    """The settings of a task or student, checked against its constructor's signature; None where they are wrong.

    Args:
        kind: Task or student.
        name: Its name in the registry.
        settings: What the recipe gives it.
        path: Where they stand in the recipe.
        problems: Mistakes are added here.
        context: What the types of settings may want to know of the recipe.
        further: Keys that may stand beside the settings, each with its type and default.
    """
    keys: dict[str, Any] = dict(further)
    model = create_model(name, __base__=registry.signature(kind, name), **keys)
    checked = validated(model, dict(settings), path, problems, context)
    return None if checked is None else checked.model_dump(exclude_unset=True)


def known_task(written: Any, problems: list[str]) -> TaskSpec | None:
    """The task, which can be built and asks about the text; None where it is wrong, which is added to the problems."""
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
        built = task.build()
        types_of(built)
        messages = built.messages(_SAMPLE)
    except UnderstudyError as error:
        problems.append(f"task: {error}")
        return None
    if not any(_SAMPLE in message["content"] for message in messages):
        problems.append("task.prompt: the text to be answered does not stand in it; expected {{ text }}")
        return None
    return task


def known_students(written: Mapping[str, Any], seeds: int, folder: Path, problems: list[str]) -> list[StudentSpec]:
    """The students, each trained so many times unless it says otherwise; what is no mapping is told elsewhere.

    Args:
        written: The recipe.
        seeds: How many times each is trained.
        folder: The recipe's, from which paths among their settings are taken.
        problems: Mistakes are added here.
    """
    found = []
    for name, entry in _mapping(written.get("students")).items():
        path, given = f"students.{name}", {} if entry is None else entry
        if not isinstance(name, str) or not isinstance(given, dict):
            continue
        if not re.fullmatch(NAME, name) or name == "teacher":
            problems.append(
                f"{path}: not a name for a student (it names a folder); expected up to 60 letters, digits, . _ -"
            )
            continue
        student = given.get("student", name)
        if not isinstance(student, str) or student not in registry.names("student"):
            problems.append(f"{path}{'.student' if 'student' in given else ''}: {_unknown('student', student)}")
            continue
        if "seed" in given:
            problems.append(f"{path}.seed: a run draws its own seeds; expected seeds, how many of them")
        further = {"student": (str, name), "seeds": (Seeds, seeds)}
        settings = _component("student", student, given, path, problems, recipes_folder(folder), **further)
        problems.extend(_unfit(written, student, path))
        if settings is not None:
            times = settings.pop("seeds", seeds)
            settings.pop("student", None)
            found.append(StudentSpec(name=name, student=student, settings=settings, seeds=times))
    return found


def _unfit(written: Mapping[str, Any], student: str, path: str) -> list[str]:
    """A problem where the student cannot learn the task."""
    task, able = _mapping(written.get("task")).get("type"), registry.find("student", student).forms
    if not isinstance(task, str) or task not in registry.names("task") or registry.find("task", task).form in able:
        return []
    does = [name for name in registry.names("task") if registry.find("task", name).form in able]
    return [f"{path}: the student {student!r} does not do {task}; it does: {', '.join(does)}"]


def known_mixtures(written: Mapping[str, Any], problems: list[str]) -> list[str]:
    """The mixtures by name; those that do not exist are added to the problems."""
    names = written.get("mixtures", MIXTURES)
    names = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    problems.extend(
        f"mixtures.{place}: {_unknown('mixture', name)}"
        for place, name in enumerate(names)
        if name not in registry.names("mixture")
    )
    return names


def inconsistencies(written: Mapping[str, Any]) -> list[str]:
    """Mistakes that lie between two keys of a recipe."""
    names = ("teacher", "data", "annotate", "learning_curve")
    teacher, data, annotate, curve = (_mapping(written.get(name)) for name in names)
    students = [str(name) for name in _mapping(written.get("students"))]
    found = _secrets(teacher)
    model = teacher.get("model")
    in_process = isinstance(model, str) and model.startswith((LOCAL, VLLM))
    if teacher and not in_process and teacher.get("base_url") is None and teacher.get("replies") is None:
        found.append("teacher: neither base_url nor replies; expected an endpoint to ask, recorded replies, or both")
    if in_process and teacher.get("base_url") is not None:
        found.append("teacher: the model runs in this process and at base_url; expected one of the two")
    if data and data.get("pool") is None and written.get("generate") is None:
        found.append(
            "data.pool: missing; expected texts for the teacher to annotate, or generate, to have it write some"
        )
    if data and data.get("gold") is None and annotate.get("examples") is not None:
        found.append("annotate.examples: without data.gold there are none to show; expected data.gold")
    if annotate.get("soft") == "votes" and annotate.get("votes", 1) == 1:
        found.append("annotate.soft: one vote has no shares; expected annotate.votes of 2 or more, or soft: logprobs")
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
    if isinstance(teacher.get("base_url"), str) and _WITH_USER.match(teacher["base_url"]):
        found.append("teacher.base_url: holds a user or password; expected the address alone, and api_key_env")
    variables = {f"headers_env.{name}": named for name, named in _mapping(teacher.get("headers_env")).items()}
    found += [
        f"teacher.{place}: not the name of an environment variable; expected one like OPENAI_API_KEY, not what it holds"
        for place, named in {"api_key_env": teacher.get("api_key_env"), **variables}.items()
        if isinstance(named, str) and not _VARIABLE.fullmatch(named)
    ]
    return found


def _mapping(value: Any) -> dict[Any, Any]:
    """The value where it is a mapping; an empty one where it is not, which is told elsewhere."""
    return value if isinstance(value, dict) else {}


def _unknown(kind: str, name: Any) -> str:
    """One line for what is not the name of a component."""
    if isinstance(name, str):
        return registry.unknown(kind, name, registry.names(kind))
    return f"no name of a {kind}; expected one of: {', '.join(registry.names(kind))}"
