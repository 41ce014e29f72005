"""What stands in a recipe's data files: how much there is, and what should be known of it before anything is spent."""

from collections import Counter, defaultdict
from collections.abc import Iterator

from understudy import registry
from understudy.data.clean import is_rejected, kind_of_rejection
from understudy.data.entities.oddities import Oddities
from understudy.example import Example, Source
from understudy.recipe import Recipe
from understudy.stages.arms import comparison_arms
from understudy.stages.gather import source_files
from understudy.students.extracts.documents import is_extract
from understudy.tasks.task import labels_of, types_of

_ENOUGH = 10
"""Rows of gold of a label, or entities of a type; of fewer there is hardly one to learn from and one to judge by."""
_NAMED = 8
"""How many labels of which there are few are named."""


class Inventory:
    """Rows of a recipe's data files, looked at one at a time.

    Args:
        recipe: Says which files there are, and what they are for.

    Attributes:
        rows: How many rows of each source there are.
        left_out: How many more rows of gold are left out, by the reason.
        entities: How many entities of each type the rows of each source have.
    """

    def __init__(self, recipe: Recipe) -> None:
        self.rows: Counter[Source] = Counter({"gold": 0, "pool": 0, "test": 0})
        self.left_out: Counter[str] = Counter()
        self.entities: defaultdict[Source, Counter[str]] = defaultdict(Counter)
        self._recipe, self._task = recipe, recipe.task.build()
        self._labels: Counter[str] = Counter()
        self._texts = self._extracts = 0
        self._odd = _looking(recipe)

    def add(self, example: Example) -> None:
        """Look at one more row."""
        if is_rejected(example):
            self.left_out[kind_of_rejection(example)] += 1
            return
        self.rows[example.source] += 1
        if isinstance(example.target, tuple):
            self.entities[example.source].update(span.type for span in example.target)
            self._odd[example.source].look_at(example.text, example.target)
        elif self._task.form == "text" and isinstance(example.target, str):
            self._texts += 1
            self._extracts += is_extract(example.target, example.text)
        elif example.source == "gold":
            self._labels[str(example.target)] += 1

    def notes(self) -> Iterator[str]:
        """What a person should know, in a line each.

        Raises:
            DataError: A file cannot be read.
        """
        for file in self._odd.values():
            yield from file.told()
        yield from self._of_few()
        yield from self._of_copies()

    def _of_few(self) -> Iterator[str]:
        """Of what there is little gold, where there is any."""
        if not self.rows["gold"]:
            return
        kinds = {**labels_of(self._task), **types_of(self._task)}
        found = self._labels + self.entities.get("gold", Counter())
        few = [f"{kind} {found[kind]:,}" for kind in kinds if found[kind] < _ENOUGH]
        if few:
            more = f" and {len(few) - _NAMED:,} more" if len(few) > _NAMED else ""
            yield f"gold has few of {', '.join(few[:_NAMED])}{more}; ten or more of each are worth their work"
        elif not kinds and self.rows["gold"] < _ENOUGH:
            yield f"gold has few texts, {self.rows['gold']:,}; ten or more are worth their work"

    def _of_copies(self) -> Iterator[str]:
        """That all students only copy where what is wanted stands in few of the texts."""
        arms = list(comparison_arms(self._recipe))
        wanted = not self._task.extractive and 2 * self._extracts < self._texts
        if wanted and arms and all(arm.student.copies for arm in arms):
            names = ", ".join(dict.fromkeys(arm.spec.name for arm in arms))
            yield (
                f"{self._extracts:,} of {self._texts:,} targets are made of sentences of their texts, and the students "
                f"({names}) only ever copy such; add one that writes ({', '.join(_writers())})"
            )


def _looking(recipe: Recipe) -> dict[Source, Oddities]:
    """Who looks for oddities, in each file; nobody where the task has no entities."""
    task, layout = recipe.task.build(), recipe.data.layout
    if task.form != "spans":
        return {}
    files = source_files(recipe).items()
    return {source: Oddities(path, layout.format_of(source, path, task)) for source, path in files}


def _writers() -> Iterator[str]:
    """The students that write texts of their own."""
    for name in registry.names("student"):
        student = registry.find("student", name)
        if "text" in student.forms and not student.copies:
            yield name
