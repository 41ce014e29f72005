"""Asking by batch: what is still to be asked as files, and what came back into the reply store."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from understudy import words
from understudy.data.files import read_examples
from understudy.errors import RecipeError
from understudy.progress import Progress
from understudy.recipe import Recipe
from understudy.run_folder import RunFolder
from understudy.stages.gather import gold_of
from understudy.stages.generate import writing_questions
from understudy.stages.teach import askable
from understudy.stages.teacher import dialect_of, endpoint_of, interview_of, ledger_of, teacher_of
from understudy.teacher.answer import Question
from understudy.teacher.batch import files as batch
from understudy.teacher.batch.delivery import batch_round, cancel_round
from understudy.teacher.batch.files import Exported, Imported
from understudy.teacher.batch.output import check_output
from understudy.teacher.cost.ledger import Ledger
from understudy.teacher.cost.spending import cost_usd, summed
from understudy.teacher.endpoint.endpoint import Endpoint
from understudy.teacher.interview import Interview
from understudy.teacher.request import Body


def export_batch(recipe: Recipe, run: RunFolder, folder: Path, progress: Progress) -> Exported:
    """Write what the teacher has not answered yet as OpenAI Batch request files, and say what these may cost.

    Raises:
        DataError: A file cannot be written.
    """
    outstanding = _outstanding(recipe, run, interview_of(recipe, run, progress))
    exported = batch.export_batch(outstanding, folder, dialect=dialect_of(recipe), max_tokens=recipe.teacher.max_tokens)
    if exported.requests:
        progress.say(_at_the_most(exported, ledger_of(recipe, run)))
    return exported


def import_batch(recipe: Recipe, run: RunFolder, files: Sequence[Path], progress: Progress) -> Imported:
    """Take the output and error files of a batch into the reply store, and what it cost into the ledger.

    Raises:
        DataError: A file cannot be read, or has nothing to do with this recipe.
    """
    for path in files:
        check_output(path)
    interview, ledger = interview_of(recipe, run, progress), ledger_of(recipe, run)
    asked = _asked(recipe, run, interview)
    return batch.import_batch(files, asked, interview.store, ledger, recipe.teacher.max_tokens)


def submit_batch(recipe: Recipe, run: RunFolder, folder: Path, progress: Progress) -> Imported:
    """Ask over the endpoint's Batch API, round after round, as long as that brings replies and leaves questions.

    Raises:
        RecipeError: There is no endpoint.
        BudgetReached: The worst case of a batch does not fit into what is left of the budget.
        TeacherError: The API cannot be used.
    """
    endpoint, ledger, total = _endpoint(recipe), ledger_of(recipe, run), Imported()
    while True:
        interview = interview_of(recipe, run, progress)
        imported = batch_round(
            _outstanding(recipe, run, interview),
            _asked(recipe, run, interview),
            interview.store,
            folder,
            endpoint,
            dialect_of(recipe),
            ledger,
            progress,
        )
        total = _together(total, imported)
        if not imported.missing or not imported.kept + imported.refused:
            return total


def cancel_batch(recipe: Recipe, run: RunFolder, folder: Path, progress: Progress) -> Imported:
    """Have what is under way at the Batch API cancelled, and keep what was answered until then.

    Raises:
        RecipeError: There is no endpoint.
        DataError: Nothing is under way.
        TeacherError: The API cannot be used.
    """
    interview = interview_of(recipe, run, progress)
    asked = _asked(recipe, run, interview)
    return cancel_round(asked, interview.store, folder, _endpoint(recipe), ledger_of(recipe, run), progress)


def _endpoint(recipe: Recipe) -> Endpoint:
    """Where batches are submitted to."""
    endpoint = endpoint_of(recipe.teacher)
    if endpoint is None:
        raise RecipeError(str(recipe.source), ["teacher.base_url: missing; a batch is submitted to an endpoint"])
    return endpoint


def _at_the_most(exported: Exported, ledger: Ledger) -> str:
    """What a batch may cost, beside what is left of the budget; who sends it by hand decides."""
    usd = None if ledger.price is None else cost_usd(exported.worst, ledger.price.by_batch)
    cost = "" if usd is None else f" ({words.dollars(usd)})"
    note = f"These requests take {exported.worst.total:,} tokens{cost} at the most"
    if not str(ledger.budget):
        return f"{note}."
    fits = "" if ledger.left.covers(exported.worst, usd) else ": they may exceed it"
    return f"{note}; of the budget of {ledger.budget}, {ledger.left} is left{fits}."


def _together(before: Imported, now: Imported) -> Imported:
    """Two rounds as one; what is missing and what was named is so after the second."""
    return replace(
        now,
        kept=before.kept + now.kept,
        refused=before.refused + now.refused,
        tokens=summed(before.tokens, now.tokens),
    )


def _outstanding(recipe: Recipe, run: RunFolder, interview: Interview) -> Iterator[Body]:
    """The requests that the store does not answer yet."""
    return chain.from_iterable(bodies for _, bodies in interview.outstanding(_questions(recipe, run, interview)))


def _asked(recipe: Recipe, run: RunFolder, interview: Interview) -> Iterator[Question[Any]]:
    """Every question that the recipe asks, answered or not."""
    return chain.from_iterable(asked for _, asked in _questions(recipe, run, interview))


def _questions(
    recipe: Recipe, run: RunFolder, interview: Interview
) -> Iterator[tuple[object, Sequence[Question[Any]]]]:
    """What the recipe asks about the team's texts, and for texts of the teacher's own."""
    gold = partial(gold_of, recipe, run)
    yield from teacher_of(recipe, interview, gold).questions(askable(recipe, read_examples(run.inputs)))
    if recipe.generate is not None:
        yield from writing_questions(recipe, recipe.generate, interview, gold)
