"""Teaching: the teacher's answers to the texts of pool and test."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from understudy.data.clean import is_rejected, screen
from understudy.data.files import digest, read_examples, write_examples
from understudy.errors import TeacherError
from understudy.example import Example
from understudy.progress import Progress
from understudy.recipe import Recipe
from understudy.run_folder import RunFolder
from understudy.teacher.client import Endpoint
from understudy.teacher.replies import ReplyStore
from understudy.teacher.teacher import Teacher

_STORE = Path("runs") / "replies.jsonl"
"""One store for all runs, wherever their folders lie: what was paid for once is found again."""


def teach(recipe: Recipe, run: RunFolder, progress: Progress) -> bool:
    """Ask the teacher about pool and test into ``2-taught.jsonl``; texts not worth asking about are passed over.

    Where the endpoint failed to answer, what was answered serves this run, and the next one asks for the rest.
    """
    inputs = {
        "inputs": run.inputs,
        "task": recipe.task.fingerprint(),
        "teacher": _who_answers(recipe),
        "clean": recipe.clean.model_dump(),
    }

    def ask() -> bool:
        total = sum(1 for _ in askable(recipe, read_examples(run.inputs)))
        asked = teacher_of(recipe).annotate(askable(recipe, read_examples(run.inputs)), progress, total)
        passed_over = filter(is_rejected, _screened(recipe, read_examples(run.inputs)))
        write_examples(run.taught, chain(asked, passed_over))
        unanswered = sum(1 for example in read_examples(run.taught) if example.meta.get("unanswered"))
        if unanswered:
            progress.say(f"The teacher failed to answer {unanswered:,} texts; the same command asks for them again.")
        return not unanswered

    return run.make(run.taught, inputs, ask)


def check_yardstick(run: RunFolder) -> None:
    """See to it that the teacher was heard on every test text: silence must not be scored as a wrong answer.

    Raises:
        TeacherError: It was not.
    """
    test = {example.id for example in read_examples(run.inputs) if example.source == "test"}
    rows = (example for example in read_examples(run.taught) if example.id in test)
    unheard = [example for example in rows if "reply" not in example.meta]
    if unheard:
        raise TeacherError(
            f"the teacher has not answered {len(unheard)} of {len(test)} test texts (the first, {unheard[0].id}: "
            f"{unheard[0].meta.get('rejected')}); it cannot be compared. Run again to ask for them, or record them too"
        )


def askable(recipe: Recipe, examples: Iterator[Example]) -> Iterator[Example]:
    """The texts that the teacher is asked about: the test set, and what of the pool is worth it."""
    return (example for example in _screened(recipe, examples) if not is_rejected(example))


def teacher_of(recipe: Recipe) -> Teacher:
    """The recipe's teacher, with the replies that it has given so far, to whatever run."""
    section = recipe.teacher
    recordings = [(section.replies.requests, section.replies.replies)] if section.replies else []
    endpoint = None
    if section.base_url is not None:
        endpoint = Endpoint(
            base_url=section.base_url,
            api_key_env=section.api_key_env,
            headers=section.headers,
            headers_env=section.headers_env,
            timeout=section.timeout,
            concurrency=section.concurrency,
            max_attempts=section.max_attempts,
        )
    store = ReplyStore(section.store or _STORE, recordings)
    return Teacher(task=recipe.task.build(), model=section.model, store=store, endpoint=endpoint)


def _screened(recipe: Recipe, examples: Iterator[Example]) -> Iterator[Example]:
    """Test and pool, without gold, whose labels are known; pool texts not worth asking about carry the reason."""
    return screen((example for example in examples if example.source != "gold"), recipe.clean.max_chars)


def _who_answers(recipe: Recipe) -> dict[str, object]:
    """What of the teacher's section decides its answers.

    How patiently it is asked does not, nor does where its replies are kept: a store only says what this very model
    answered to this very request.
    """
    section = recipe.teacher
    recorded = section.replies and {
        "requests": digest(section.replies.requests),
        "replies": digest(section.replies.replies),
    }
    return {"model": section.model, "base_url": section.base_url, "replies": recorded}
