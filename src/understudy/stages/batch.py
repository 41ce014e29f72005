"""Asking by batch: what is still to be asked as files, and what came back into the reply store."""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from understudy.data.files import read_examples
from understudy.errors import RecipeError
from understudy.progress import Progress
from understudy.recipe import Recipe
from understudy.run_folder import RunFolder
from understudy.stages.teach import askable
from understudy.stages.teacher import dialect_of, endpoint_of, teacher_of
from understudy.teacher import batch
from understudy.teacher.batch import Exported, Imported
from understudy.teacher.batch_delivery import batch_round
from understudy.teacher.request import Body
from understudy.teacher.teacher import Teacher

_ROUNDS = 3
"""The questions, the corrections of what was no answer, and what failed in passing."""


def export_batch(recipe: Recipe, run: RunFolder, folder: Path, progress: Progress) -> Exported:
    """Write what the teacher has not answered yet as OpenAI Batch request files.

    Raises:
        DataError: A file cannot be written.
    """
    teacher = teacher_of(recipe, run, progress)
    return batch.export_batch(
        _outstanding(teacher, recipe, run), folder, dialect=dialect_of(recipe), max_tokens=recipe.teacher.max_tokens
    )


def import_batch(recipe: Recipe, run: RunFolder, files: Sequence[Path], progress: Progress) -> Imported:
    """Take the output and error files of a batch into the reply store.

    Raises:
        DataError: A file cannot be read, or has nothing to do with this recipe.
    """
    teacher = teacher_of(recipe, run, progress)
    return batch.import_batch(files, _asked(teacher, recipe, run), teacher.interview.store)


def submit_batch(recipe: Recipe, run: RunFolder, folder: Path, progress: Progress) -> Imported:
    """Ask over the endpoint's Batch API, round after round, until nothing is missing that may still come.

    Raises:
        RecipeError: There is no endpoint.
        TeacherError: The API cannot be used.
    """
    endpoint = endpoint_of(recipe.teacher)
    if endpoint is None:
        raise RecipeError(str(recipe.source), ["teacher.base_url: missing; a batch is submitted to an endpoint"])
    teacher = teacher_of(recipe, run, progress)
    for _ in range(_ROUNDS):
        imported = batch_round(
            _outstanding(teacher, recipe, run),
            _asked(teacher, recipe, run),
            teacher.interview.store,
            folder,
            endpoint,
            dialect_of(recipe),
            progress,
        )
        if not imported.missing:
            break
    return imported


def _outstanding(teacher: Teacher, recipe: Recipe, run: RunFolder) -> Iterator[Body]:
    """The requests that the store does not answer yet."""
    asked = teacher.questions(askable(recipe, read_examples(run.inputs)))
    return chain.from_iterable(bodies for _, bodies in teacher.interview.outstanding(asked))


def _asked(teacher: Teacher, recipe: Recipe, run: RunFolder) -> Iterator[Body]:
    """Every request that the recipe asks, answered or not."""
    questions = (found for _, found in teacher.questions(askable(recipe, read_examples(run.inputs))))
    return batch.every_request(chain.from_iterable(questions), teacher.interview.store)
