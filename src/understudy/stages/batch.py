"""Asking by batch: what is still to be asked as files, and what came back into the reply store."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from understudy.data.files import read_examples
from understudy.errors import RecipeError, UnderstudyError
from understudy.progress import Progress
from understudy.recipe import Recipe
from understudy.run_folder import RunFolder
from understudy.stages.generate import writing_questions
from understudy.stages.teach import askable
from understudy.stages.teacher import dialect_of, endpoint_of, interview_of, ledger_of, teacher_of
from understudy.teacher.answer import Question
from understudy.teacher.batch import files as batch
from understudy.teacher.batch.delivery import batch_round
from understudy.teacher.batch.files import Exported, Imported
from understudy.teacher.batch.state import is_under_way
from understudy.teacher.cost.ledger import Ledger, worst_case
from understudy.teacher.cost.spending import Tokens
from understudy.teacher.endpoint.endpoint import Endpoint
from understudy.teacher.interview import Interview
from understudy.teacher.request import Body

_NOTHING = Tokens(0, 0)


def export_batch(recipe: Recipe, run: RunFolder, folder: Path, progress: Progress) -> Exported:
    """Write what the teacher has not answered yet as OpenAI Batch request files.

    Raises:
        DataError: A file cannot be written.
    """
    outstanding = _outstanding(recipe, run, interview_of(recipe, run, progress))
    return batch.export_batch(outstanding, folder, dialect=dialect_of(recipe), max_tokens=recipe.teacher.max_tokens)


def import_batch(recipe: Recipe, run: RunFolder, files: Sequence[Path], progress: Progress) -> Imported:
    """Take the output and error files of a batch into the reply store.

    Raises:
        DataError: A file cannot be read, or has nothing to do with this recipe.
    """
    interview = interview_of(recipe, run, progress)
    return batch.import_batch(files, _asked(recipe, run, interview), interview.store)


def submit_batch(recipe: Recipe, run: RunFolder, folder: Path, progress: Progress) -> Imported:
    """Ask over the endpoint's Batch API, round after round, as long as that brings replies and leaves questions.

    Raises:
        RecipeError: There is no endpoint.
        BudgetReached: The worst case of a batch does not fit into what is left of the budget.
        TeacherError: The API cannot be used.
    """
    endpoint = endpoint_of(recipe.teacher)
    if endpoint is None:
        raise RecipeError(str(recipe.source), ["teacher.base_url: missing; a batch is submitted to an endpoint"])
    total, ledger = Imported(), ledger_of(recipe, run)
    while True:
        imported = _round(recipe, run, folder, endpoint, ledger, progress)
        total = _together(total, imported)
        if not imported.missing or not imported.kept + imported.refused:
            return total


def _round(
    recipe: Recipe, run: RunFolder, folder: Path, endpoint: Endpoint, ledger: Ledger, progress: Progress
) -> Imported:
    """One round, once the budget covers it; one that was cut short is finished, for it was reserved when it began."""
    interview = interview_of(recipe, run, progress)
    reservation = None
    if not is_under_way(folder):
        reservation = ledger.reserve_now(_worst(_outstanding(recipe, run, interview), recipe))
    try:
        imported = batch_round(
            _outstanding(recipe, run, interview),
            _asked(recipe, run, interview),
            interview.store,
            folder,
            endpoint,
            dialect_of(recipe),
            progress,
        )
    except UnderstudyError:
        if reservation is not None and not is_under_way(folder):
            ledger.settle(reservation, _NOTHING)  # no batch was made
        raise
    if reservation is not None:
        ledger.settle(reservation, _used(imported))
    return imported


def _used(imported: Imported) -> Tokens | None:
    """The tokens of a round; None where there are replies, and they do not tell."""
    return None if imported.kept and not imported.tokens.total else imported.tokens


def _worst(bodies: Iterable[Body], recipe: Recipe) -> Tokens:
    """The most tokens that some requests can read and write."""
    worst, dialect = _NOTHING, dialect_of(recipe)
    for body in bodies:
        wire = dialect.spoken(body, recipe.teacher.max_tokens)
        worst = worst.plus(worst_case(wire, json.dumps(wire, ensure_ascii=False).encode("utf-8")))
    return worst


def _together(before: Imported, now: Imported) -> Imported:
    """Two rounds as one; what is missing and what was named is so after the second."""
    return replace(
        now, kept=before.kept + now.kept, refused=before.refused + now.refused, tokens=before.tokens.plus(now.tokens)
    )


def _outstanding(recipe: Recipe, run: RunFolder, interview: Interview) -> Iterator[Body]:
    """The requests that the store does not answer yet."""
    return chain.from_iterable(bodies for _, bodies in interview.outstanding(_questions(recipe, run, interview)))


def _asked(recipe: Recipe, run: RunFolder, interview: Interview) -> Iterator[Body]:
    """Every request that the recipe asks, answered or not."""
    questions = (asked for _, asked in _questions(recipe, run, interview))
    return batch.every_request(chain.from_iterable(questions), interview.store)


def _questions(
    recipe: Recipe, run: RunFolder, interview: Interview
) -> Iterator[tuple[object, Sequence[Question[Any]]]]:
    """What the recipe asks about the team's texts, and for texts of the teacher's own."""
    yield from teacher_of(recipe, interview).questions(askable(recipe, read_examples(run.inputs)))
    if recipe.generate is not None:
        yield from writing_questions(recipe, recipe.generate, interview)
