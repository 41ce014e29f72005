"""Asking by batch: what is still to be asked as files, and what came back into the reply store."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from understudy.data.files import read_examples
from understudy.errors import RecipeError
from understudy.progress import Progress
from understudy.recipe import Recipe
from understudy.run_folder import RunFolder
from understudy.stages.teach import askable
from understudy.stages.teacher import dialect_of, endpoint_of, ledger_of, teacher_of
from understudy.teacher import batch
from understudy.teacher.batch import Exported, Imported
from understudy.teacher.batch_delivery import batch_round
from understudy.teacher.ledger import worst_case
from understudy.teacher.request import Body
from understudy.teacher.spending import Tokens
from understudy.teacher.teacher import Teacher


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
    """Ask over the endpoint's Batch API, round after round, as long as that brings answers or corrections.

    Raises:
        RecipeError: There is no endpoint.
        BudgetReached: The worst case of a batch does not fit into what is left of the budget.
        TeacherError: The API cannot be used.
    """
    endpoint = endpoint_of(recipe.teacher)
    if endpoint is None:
        raise RecipeError(str(recipe.source), ["teacher.base_url: missing; a batch is submitted to an endpoint"])
    teacher, ledger = teacher_of(recipe, run, progress), ledger_of(recipe, run)
    total, missing = Imported(), sys.maxsize
    while True:
        reservation = ledger.reserve_now(_worst(_outstanding(teacher, recipe, run), recipe))
        imported = batch_round(
            _outstanding(teacher, recipe, run),
            _asked(teacher, recipe, run),
            teacher.interview.store,
            folder,
            endpoint,
            dialect_of(recipe),
            progress,
        )
        ledger.settle(reservation, imported.tokens)
        total = _together(total, imported)
        if not 0 < imported.missing < missing:
            return total
        missing = imported.missing


def _worst(bodies: Iterable[Body], recipe: Recipe) -> Tokens:
    """The most tokens that some requests can read and write."""
    worst, dialect = Tokens(0, 0), dialect_of(recipe)
    for body in bodies:
        wire = dialect.spoken(body, recipe.teacher.max_tokens)
        worst = worst.plus(worst_case(wire, json.dumps(wire, ensure_ascii=False).encode("utf-8")))
    return worst


def _together(before: Imported, now: Imported) -> Imported:
    """Two rounds as one; what is missing and what was named is so after the second."""
    return replace(
        now, kept=before.kept + now.kept, refused=before.refused + now.refused, tokens=before.tokens.plus(now.tokens)
    )


def _outstanding(teacher: Teacher, recipe: Recipe, run: RunFolder) -> Iterator[Body]:
    """The requests that the store does not answer yet."""
    asked = teacher.questions(askable(recipe, read_examples(run.inputs)))
    return chain.from_iterable(bodies for _, bodies in teacher.interview.outstanding(asked))


def _asked(teacher: Teacher, recipe: Recipe, run: RunFolder) -> Iterator[Body]:
    """Every request that the recipe asks, answered or not."""
    questions = (found for _, found in teacher.questions(askable(recipe, read_examples(run.inputs))))
    return batch.every_request(chain.from_iterable(questions), teacher.interview.store)
