"""Splitting: what students learn from, what they stop by, and what they are measured on."""

from collections.abc import Iterable
from itertools import chain

from understudy.data.files import write_examples
from understudy.data.load import read_labelled
from understudy.data.split import hold_out
from understudy.example import Example
from understudy.recipe import Recipe
from understudy.run_folder import RunFolder
from understudy.stages.gather import given, gold_of


def split(recipe: Recipe, run: RunFolder) -> bool:
    """Write what students learn from, stop by and are measured on (``4-train``, ``4-validation``, ``4-test``)."""
    inputs = {"inputs": run.inputs, "clean": run.clean, "split": split_settings(recipe)}

    def divide() -> None:
        distilled: Iterable[Example] = read_labelled(run.clean, recipe.task.build())
        kept, held_out = divided(gold_of(recipe, run), recipe)
        if recipe.data.gold is None:  # there is nothing else to stop by than the teacher's own labels
            distilled, held_out = divided(distilled, recipe)
        write_examples(run.test, given(run, "test"))
        write_examples(run.validation, held_out)
        write_examples(run.train, chain(kept, distilled))

    return run.make(run.train, inputs, divide, run.validation, run.test)


def divided(examples: Iterable[Example], recipe: Recipe) -> tuple[list[Example], list[Example]]:
    """What to train on, and what to stop by."""
    alike = recipe.task.build().form == "label"
    return hold_out(list(examples), recipe.data.validation, recipe.data.seed, alike=alike)


def split_settings(recipe: Recipe) -> dict[str, object]:
    """What decides which gold is held out."""
    return {"validation": recipe.data.validation, "seed": recipe.data.seed}
