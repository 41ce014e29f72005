"""The first stage: the team's files, checked, as one file of texts."""

from collections.abc import Callable, Iterator
from pathlib import Path

from understudy.data.files import digest, read_examples, write_examples
from understudy.data.load import load_examples, read_labelled
from understudy.example import Example, Source
from understudy.recipe import Recipe
from understudy.run_folder import RunFolder

Gold = Callable[[], Iterator[Example]]
"""Reads the human-labelled rows to learn from: `gold_of` a run, or `read_gold` where there is none yet."""


def gather(recipe: Recipe, run: RunFolder) -> bool:
    """Read the team's files into ``1-inputs.jsonl``; whatever is wrong with them is said here."""
    files = source_files(recipe)
    inputs = {
        "task": recipe.task.fingerprint(),
        "columns": recipe.data.model_dump()["columns"],
        "files": {source: {"path": str(path), "sha256": digest(path)} for source, path in files.items()},
    }
    return run.make(run.inputs, inputs, lambda: write_examples(run.inputs, read_sources(recipe)))


def source_files(recipe: Recipe) -> dict[Source, Path]:
    """The recipe's data files by what they hold."""
    data = recipe.data
    files: dict[Source, Path | None] = {"test": data.test, "pool": data.pool, "gold": data.gold}
    return {source: path for source, path in files.items() if path is not None}


def read_sources(recipe: Recipe) -> Iterator[Example]:
    """Every row of the recipe's data files, checked."""
    return load_examples(source_files(recipe), recipe.data.columns, recipe.task.build())


def read_gold(recipe: Recipe) -> Iterator[Example]:
    """The human-labelled rows to learn from as the team's file has them, checked; none where there is no such file."""
    files: dict[Source, Path] = {} if recipe.data.gold is None else {"gold": recipe.data.gold}
    return load_examples(files, recipe.data.columns, recipe.task.build())


def gold_of(recipe: Recipe, run: RunFolder) -> Iterator[Example]:
    """The human-labelled rows to learn from as the run has them, checked: a person may have edited them."""
    return read_labelled(run.inputs, recipe.task.build(), "gold")


def given(run: RunFolder, source: Source) -> Iterator[Example]:
    """The team's rows of one kind, as a stream: a pool may not fit into memory."""
    return (example for example in read_examples(run.inputs) if example.source == source)
