"""Recording: what the teacher has answered already, in a column of the team's files, as replies to the prompt."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from understudy.data.columns import cell
from understudy.data.files import read_rows
from understudy.errors import DataError
from understudy.example import Example
from understudy.progress import Silent
from understudy.recipe import Recipe
from understudy.run_folder import RunFolder
from understudy.stages.gather import read_gold
from understudy.stages.teacher import interview_of, teacher_of
from understudy.tasks.task import Task
from understudy.teacher.replies.writing import Exchange, write_recording


def record(recipe: Recipe, column: str, folder: Path) -> int:
    """Write the answers in a column of pool and test as a recording for ``teacher.replies``; returns how many.

    An empty cell becomes an empty reply, and a value that is no target of the task is recorded as it is: a run rejects
    both, with the reason.

    Args:
        recipe: Names the files, and how the teacher would be asked.
        column: The column with its answers.
        folder: Where ``requests.jsonl`` and ``replies.jsonl`` are written.

    Raises:
        DataError: A file has no such column or cannot be read, or there is a recording in that folder already.
    """
    return write_recording(folder, _exchanges(recipe, column))


def _exchanges(recipe: Recipe, column: str) -> Iterator[Exchange]:
    unheard = recipe.model_copy(update={"teacher": recipe.teacher.model_copy(update={"replies": ()})})
    interview = interview_of(unheard, RunFolder(Path()), Silent())
    teacher = teacher_of(unheard, interview, partial(read_gold, recipe))
    for example, questions in teacher.questions(_answered(recipe, column)):
        reply = _reply(teacher.task, example)
        for place, question in enumerate(questions):
            yield Exchange(f"{example.id}/{place}", question.body, reply)


def _answered(recipe: Recipe, column: str) -> Iterator[Example]:
    """The texts of pool and test, each with the teacher's answer in its meta."""
    columns = recipe.data.columns
    test = recipe.data.test if recipe.teacher.compared else None
    for source, path in (("pool", recipe.data.pool), ("test", test)):
        if path is None:
            continue
        advice = "name the column with the teacher's answers"
        if source == "test":
            advice += "; or set teacher.compared: false in the recipe, where it has not answered the test texts"
        for number, row in read_rows(path):
            try:
                text, said = cell(row, columns.text, "set data.columns.text in the recipe"), cell(row, column, advice)
            except DataError as error:
                raise DataError(f"{path}:{number}: {error}") from None
            yield Example(id=f"{source}-{number}", text=str(text), meta={"said": said})


def _reply(task: Task, example: Example) -> str:
    said: Any = example.meta["said"]
    if said is None or said == "":
        return ""
    try:
        return task.render(task.read(said, example.text), example.text)
    except DataError:
        return str(said)
