"""The first stage: the team's files, checked, as one file of texts."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from understudy.data.clean import is_rejected, kind_of_rejection
from understudy.data.entities.formats import described
from understudy.data.files import digest, read_examples, write_examples
from understudy.data.load import load_examples, read_labelled
from understudy.example import Example, Source
from understudy.recipe import Recipe
from understudy.run_folder import RunFolder

Gold = Callable[[], Iterator[Example]]
"""Reads the human-labelled rows to learn from: `gold_of` a run, or `read_gold` where there is none yet."""


def gather(recipe: Recipe, run: RunFolder) -> bool:
    """Read the team's files into ``1-inputs.jsonl``; whatever is wrong with them is said here.

    Gold that is left out stands there too, with the reason in its meta.
    """
    files = source_files(recipe)
    inputs = {
        "task": recipe.task.fingerprint(),
        "layout": asdict(recipe.data.layout),
        "repeats": recipe.data.repeats,
        "files": {source: {"path": str(path), "sha256": digest(path)} for source, path in files.items()},
    }

    def collect() -> None:
        left_out: Counter[str] = Counter()
        write_examples(run.inputs, _counted(read_sources(recipe), left_out))
        for reason, count in left_out.most_common():
            run.progress.say(f"gold rows left out: {count:,} ({reason}); see meta.rejected in {run.inputs.name}")

    return run.make(run.inputs, inputs, collect)


def _counted(examples: Iterable[Example], left_out: Counter[str]) -> Iterator[Example]:
    """The examples; of those that are left out, the reasons are counted."""
    for example in examples:
        if is_rejected(example):
            left_out[kind_of_rejection(example)] += 1
        yield example


def source_files(recipe: Recipe) -> dict[Source, Path]:
    """The recipe's data files by what they hold."""
    data = recipe.data
    files: dict[Source, Path | None] = {"test": data.test, "pool": data.pool, "gold": data.gold}
    return {source: path for source, path in files.items() if path is not None}


def file_formats(recipe: Recipe) -> dict[Source, str]:
    """What each data file is, in words; nothing where the task has no entities, since those files only have columns."""
    task, layout = recipe.task.build(), recipe.data.layout
    formats = [(source, path, layout.format_of(source, path, task)) for source, path in source_files(recipe).items()]
    return {source: described(path, name) for source, path, name in formats if name is not None}


def read_sources(recipe: Recipe) -> Iterator[Example]:
    """Every row of the recipe's data files, checked."""
    return load_examples(source_files(recipe), recipe.data.layout, recipe.task.build(), recipe.data.repeats)


def read_gold(recipe: Recipe) -> Iterator[Example]:
    """The human-labelled rows to learn from as the team's file has them, checked; none where there is no such file."""
    if recipe.data.gold is None:
        return iter(())
    files: dict[Source, Path] = {"test": recipe.data.test, "gold": recipe.data.gold}  # one decides on the other
    return _usable(load_examples(files, recipe.data.layout, recipe.task.build(), recipe.data.repeats))


def gold_of(recipe: Recipe, run: RunFolder) -> Iterator[Example]:
    """The human-labelled rows to learn from as the run has them, checked: a person may have edited them."""
    return _usable(read_labelled(run.inputs, recipe.task.build(), "gold"))


def _usable(examples: Iterable[Example]) -> Iterator[Example]:
    """The gold among the examples that is not left out."""
    return (example for example in examples if example.source == "gold" and not is_rejected(example))


def given(run: RunFolder, source: Source) -> Iterator[Example]:
    """The team's rows of one kind, as a stream: a pool may not fit into memory."""
    return (example for example in read_examples(run.inputs) if example.source == source)
