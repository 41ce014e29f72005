"""From the team's files to a training set: gather, teach, clean, split."""

from collections.abc import Iterable, Iterator
from itertools import chain, filterfalse
from pathlib import Path

from understudy.data.clean import decontaminate, is_rejected, screen
from understudy.data.files import digest, read_examples, write_examples
from understudy.data.load import load_examples, read_labelled
from understudy.data.split import hold_out
from understudy.errors import DataError
from understudy.example import Example, Source
from understudy.progress import Progress
from understudy.recipe import Recipe
from understudy.run_folder import RunFolder
from understudy.teacher.client import Endpoint
from understudy.teacher.replies import ReplyStore
from understudy.teacher.teacher import Teacher

_STORE = Path("runs") / "replies.jsonl"
"""One store for all runs, wherever their folders lie: what was paid for once is found again."""


def gather(recipe: Recipe, run: RunFolder) -> bool:
    """Read the team's files into ``1-inputs.jsonl``; whatever is wrong with them is said here."""
    files = source_files(recipe)
    inputs = {
        "task": recipe.task.fingerprint(),
        "columns": recipe.data.model_dump()["columns"],
        "files": {source: {"path": str(path), "sha256": digest(path)} for source, path in files.items()},
    }
    return run.make(run.inputs, inputs, lambda: write_examples(run.inputs, read_sources(recipe)))


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


def clean(recipe: Recipe, run: RunFolder) -> bool:
    """Part what may be learned from (``3-clean.jsonl``) from what may not (``3-rejected.jsonl``, with reasons)."""
    inputs = {"inputs": run.inputs, "taught": run.taught, "split": _split_settings(recipe)}

    def part() -> None:
        test = {example.id for example in _given(run, "test")}
        _, validation = _divided_gold(recipe, run)

        def distilled() -> Iterator[Example]:
            return decontaminate((row for row in read_examples(run.taught) if row.id not in test), validation)

        write_examples(run.rejected, filter(is_rejected, distilled()))
        write_examples(run.clean, filterfalse(is_rejected, distilled()))
        if run.clean.stat().st_size == 0:
            raise DataError(f"{run.rejected}: every text was rejected; the reasons stand there under meta.rejected")

    return run.make(run.clean, inputs, part, run.rejected)


def split(recipe: Recipe, run: RunFolder) -> bool:
    """Write what students learn from, stop by and are measured on (``4-train``, ``4-validation``, ``4-test``)."""
    inputs = {"inputs": run.inputs, "clean": run.clean, "split": _split_settings(recipe)}

    def divide() -> None:
        distilled: Iterable[Example] = read_labelled(run.clean, recipe.task.build())
        kept, held_out = _divided_gold(recipe, run)
        if recipe.data.gold is None:  # there is nothing else to stop by than the teacher's own labels
            distilled, held_out = hold_out(list(distilled), recipe.data.validation, recipe.data.seed)
        write_examples(run.test, _given(run, "test"))
        write_examples(run.validation, held_out)
        write_examples(run.train, chain(kept, distilled))

    return run.make(run.train, inputs, divide, run.validation, run.test)


def source_files(recipe: Recipe) -> dict[Source, Path]:
    """The recipe's data files by what they hold."""
    data = recipe.data
    files: dict[Source, Path] = {"test": data.test, "pool": data.pool}
    return files | ({"gold": data.gold} if data.gold else {})


def read_sources(recipe: Recipe) -> Iterator[Example]:
    """Every row of the recipe's data files, checked."""
    return load_examples(source_files(recipe), recipe.data.columns, recipe.task.build())


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


def _given(run: RunFolder, source: Source) -> Iterator[Example]:
    """The team's rows of one kind, as a stream: a pool may not fit into memory."""
    return (example for example in read_examples(run.inputs) if example.source == source)


def _divided_gold(recipe: Recipe, run: RunFolder) -> tuple[list[Example], list[Example]]:
    """Gold to train on, and gold to stop by."""
    return hold_out(list(_given(run, "gold")), recipe.data.validation, recipe.data.seed)


def _split_settings(recipe: Recipe) -> dict[str, object]:
    return {"validation": recipe.data.validation, "seed": recipe.data.seed}


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
