"""Cleaning: what may be learned from, and what may not, each with its reason."""

from collections.abc import Iterator
from itertools import filterfalse

from understudy.data.clean import decontaminate, is_rejected
from understudy.data.files import read_examples, write_examples
from understudy.errors import DataError
from understudy.example import Example
from understudy.recipe import Recipe
from understudy.run_folder import RunFolder
from understudy.stages.gather import given
from understudy.stages.split import divided_gold, split_settings


def clean(recipe: Recipe, run: RunFolder) -> bool:
    """Part what may be learned from (``3-clean.jsonl``) from what may not (``3-rejected.jsonl``, with reasons)."""
    inputs = {"inputs": run.inputs, "taught": run.taught, "split": split_settings(recipe)}

    def part() -> None:
        test = {example.id for example in given(run, "test")}
        _, validation = divided_gold(recipe, run)

        def distilled() -> Iterator[Example]:
            return decontaminate((row for row in read_examples(run.taught) if row.id not in test), validation)

        write_examples(run.rejected, filter(is_rejected, distilled()))
        write_examples(run.clean, filterfalse(is_rejected, distilled()))
        if run.clean.stat().st_size == 0:
            raise DataError(f"{run.rejected}: every text was rejected; the reasons stand there under meta.rejected")

    return run.make(run.clean, inputs, part, run.rejected)
