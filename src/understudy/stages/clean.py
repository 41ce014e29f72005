"""Cleaning: what may be learned from, and what may not, each with its reason."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import chain, filterfalse

from understudy.data.clean import is_rejected, kind_of_rejection, sift
from understudy.data.clean.spool import Spool
from understudy.data.files import read_examples, write_examples
from understudy.errors import DataError
from understudy.example import Example
from understudy.progress import Bar, Progress
from understudy.recipe import Recipe
from understudy.run_folder import RunFolder
from understudy.stages.gather import given, gold_of
from understudy.stages.split import divided, split_settings


def clean(recipe: Recipe, run: RunFolder, progress: Progress) -> bool:
    """Part what may be learned from (``3-clean.jsonl``) from what may not (``3-rejected.jsonl``, with reasons)."""
    inputs = {
        "inputs": run.inputs,
        "taught": run.taught,
        "generated": run.generated if recipe.generate else None,
        "split": split_settings(recipe),
        "clean": asdict(recipe.clean),
    }

    def part() -> None:
        with Spool(_sifted(recipe, run, progress)) as rows:
            write_examples(run.rejected, filter(is_rejected, rows))
            write_examples(run.clean, filterfalse(is_rejected, rows))
        if run.clean.stat().st_size == 0:
            raise DataError(f"{run.rejected}: every text was rejected; the reasons stand there under meta.rejected")

    return run.make(run.clean, inputs, part, run.rejected)


def rejections(run: RunFolder) -> dict[str, int]:
    """How many rows were left out for each kind of reason, the most frequent first."""
    return dict(Counter(map(kind_of_rejection, read_examples(run.rejected))).most_common())


def distilled(recipe: Recipe, run: RunFolder) -> Iterator[Example]:
    """What the teacher annotated, and what it wrote."""
    yield from read_examples(run.taught)
    if recipe.generate is not None:
        yield from read_examples(run.generated)


def _sifted(recipe: Recipe, run: RunFolder, progress: Progress) -> Iterator[Example]:
    """Gold that was left out, then what the teacher answered outside the test set; what is no lesson has its reason."""
    test = {example.id for example in given(run, "test")}
    kept, validation = divided(gold_of(recipe, run), recipe)
    held_out = chain(given(run, "test"), validation)

    def taught() -> Iterator[Example]:
        return (row for row in distilled(recipe, run) if row.source == "generated" or row.id not in test)

    yield from filter(is_rejected, given(run, "gold"))
    with progress.bar("clean", sum(1 for _ in taught())) as bar:
        yield from sift(_counted(taught(), bar), held_out, kept, recipe.clean)


def _counted(examples: Iterable[Example], bar: Bar) -> Iterator[Example]:
    for example in examples:
        bar.advance()
        yield example
