"""Teaching: the teacher's answers to the texts of pool and test."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import asdict
from functools import partial
from itertools import chain, filterfalse

from understudy.data.clean import ABOUT_LABELS, is_rejected, screen
from understudy.data.clean.spool import Spool
from understudy.data.files import digest, read_examples, write_examples
from understudy.errors import TeacherError
from understudy.example import Example
from understudy.progress import Progress
from understudy.recipe import Recipe
from understudy.run_folder import RunFolder
from understudy.stages.gather import given, gold_of
from understudy.stages.split import split_settings
from understudy.stages.teacher import endpoint_of, interview_of, model_in_process, teacher_of
from understudy.teacher.cost.ledger import BudgetReached
from understudy.teacher.interview import Interview


def teach(recipe: Recipe, run: RunFolder, progress: Progress) -> bool:
    """Ask the teacher about pool and test into ``2-taught.jsonl``; texts not worth asking about are passed over.

    Where the teacher failed to answer, what was answered serves this run, and the next one asks for the rest.

    Raises:
        BudgetReached: The budget did not suffice, and the recipe says to stop there; all that was answered is kept.
    """
    teacher = teacher_of(recipe, interview_of(recipe, run, progress), partial(gold_of, recipe, run))
    inputs = {
        "inputs": run.inputs,
        "task": recipe.task.fingerprint(),
        "teacher": who_answers(recipe),
        "annotate": recipe.annotate.model_dump(),
        "split": split_settings(recipe) if recipe.annotate.examples else None,  # it decides which gold is shown
        "clean": {name: setting for name, setting in asdict(recipe.clean).items() if name not in ABOUT_LABELS},
    }

    def ask() -> bool:
        with Spool(screened(recipe, read_examples(run.inputs))) as texts:
            total = sum(1 for _ in filterfalse(is_rejected, texts))
            with closing(teacher.annotate(filterfalse(is_rejected, texts), progress, total)) as asked:
                write_examples(run.taught, chain(asked, filter(is_rejected, texts)))
        _tell_of_replies(recipe, run, progress)
        return _all_answered(run, teacher.interview, progress)

    done = run.make(run.taught, inputs, ask)
    stop_at_budget(recipe, teacher.interview)
    return done


def stop_at_budget(recipe: Recipe, interview: Interview) -> None:
    """End the run where its budget has ended the asking, unless it is to go on with what was answered.

    Raises:
        BudgetReached: It is not.
    """
    if interview.budget_reached is not None and recipe.teacher.budget.then == "stop":
        raise BudgetReached(
            f"{interview.budget_reached}. What was answered is kept: run again to go on, or set budget.then: train to "
            "learn from what there is"
        )


def check_yardstick(run: RunFolder) -> None:
    """See to it that the teacher was heard on every test text: silence must not be scored as a wrong answer.

    Raises:
        TeacherError: It was not.
    """
    missing = f"no row in {run.taught.name}; remove that file to have it made anew"
    unheard = {example.id: missing for example in given(run, "test")}
    total = len(unheard)
    for example in read_examples(run.taught):
        if example.id in unheard:
            if _had_its_say(example):
                del unheard[example.id]
            else:
                unheard[example.id] = str(example.meta.get("rejected"))
    if unheard:
        first, reason = next(iter(unheard.items()))
        raise TeacherError(
            f"the teacher has not answered {len(unheard)} of {total} test texts (the first, {first}: {reason}); "
            "it cannot be compared. Once that is mended, run again to ask for them, or record them too"
        )


def askable(recipe: Recipe, examples: Iterable[Example]) -> Iterator[Example]:
    """The texts that the teacher is asked about: the test set, and what of the pool is worth it."""
    return filterfalse(is_rejected, screened(recipe, examples))


def screened(recipe: Recipe, examples: Iterable[Example]) -> Iterator[Example]:
    """Test and pool, without gold, whose labels are known; pool texts not worth asking about carry the reason.

    A teacher that is not compared is not asked about the test texts, and still about none that is like one of them.
    """
    rows = screen((example for example in examples if example.source != "gold"), recipe.clean)
    return rows if recipe.teacher.compared else (row for row in rows if row.source != "test")


def _had_its_say(example: Example) -> bool:
    """Whether the teacher had its say on a text: a reply, valid or not, or a refusal for good."""
    return ("reply" in example.meta or "refused" in example.meta) and not example.meta.get("unanswered")


def _tell_of_replies(recipe: Recipe, run: RunFolder, progress: Progress) -> None:
    """Say what all replies lack that somebody counts on."""
    replied = usage = soft = False
    for example in read_examples(run.taught):
        replied |= "reply" in example.meta
        usage |= "usage" in example.meta
        soft |= example.soft is not None
    if replied and not usage and endpoint_of(recipe.teacher) is not None:
        progress.say("This endpoint reports no usage: every reply counts as its worst case (teacher.max_tokens).")
    if replied and not soft and recipe.annotate.soft == "logprobs":
        progress.say("No reply came with log-probabilities; there are no soft labels.")


def _all_answered(run: RunFolder, interview: Interview, progress: Progress) -> bool:
    unanswered = sum(1 for example in read_examples(run.taught) if example.meta.get("unanswered"))
    if unanswered and interview.budget_reached is not None:
        progress.say(f"The budget left {unanswered:,} texts unanswered.")
    elif unanswered:
        progress.say(f"The teacher failed to answer {unanswered:,} texts; the same command asks for them again.")
    return not unanswered


def who_answers(recipe: Recipe) -> dict[str, object]:
    """What of the teacher's section decides its answers.

    How patiently it is asked does not, nor does where its replies are kept: a store only says what this very model
    answered to this very request. How long a reply may become does: one that was cut off may be whole next time.
    """
    section = recipe.teacher
    model, endpoint = model_in_process(section), endpoint_of(section)
    recorded = [
        {"requests": digest(recording.requests), "replies": digest(recording.replies)} for recording in section.replies
    ]
    return {
        **({} if section.compared else {"compared": False}),
        "model": section.model if model is None else model.name,
        "base_url": None if endpoint is None else endpoint.name,
        "max_tokens": section.max_tokens,
        "replies": recorded,
    }
