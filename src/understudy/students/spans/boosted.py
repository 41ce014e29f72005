"""Texts to spans by gradient-boosted trees over how often words like these are named entities."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.progress import Progress
from understudy.students.boosting import Boosting, Rows, Trees
from understudy.students.spans.features import KINDS
from understudy.students.spans.rates import PARTS, TagRates
from understudy.students.spans.values import Values
from understudy.students.spans.wordwise import Lessons, WordwiseTagger
from understudy.tasks.task import Task
from understudy.training.mixtures import Mixture

if TYPE_CHECKING:
    from understudy.students.boosting import Floats


class BoostedTagger(WordwiseTagger):
    """Boosted trees from the rates of tags at the values of a word's features to its tag.

    Args:
        task: A task of spans.
        values: What it sees of a word.
        how: How the trees are grown.
    """

    def __init__(self, task: Task, *, values: Values, how: Boosting) -> None:
        super().__init__(task, values)
        self._rounds = how.rounds
        self._rates = TagRates(len(KINDS), len(self._tags))
        self._trees = Trees(how, labels=len(self._tags))

    def count_parameters(self) -> int:
        """The splits and leaf values of all trees, and the rates."""
        return self._trees.count_parameters() + self._rates.size

    def write(self, folder: Path) -> None:
        """Write the values of features, the rates and the trees."""
        super().write(folder)
        self._rates.write(folder)
        self._trees.write(folder)

    def read(self, folder: Path) -> None:
        """Read back what `write` wrote."""
        super().read(folder)
        self._rates.read(folder, self._values.size)
        self._trees.read(folder, self._rates.columns)

    def _learn(self, mixture: Mixture, lessons: Lessons, progress: Progress) -> int:
        import numpy as np

        numbers = self._values.fit(lessons.passages)
        texts = lessons.text if lessons.text.max() + 1 >= PARTS else np.arange(len(lessons.text))
        encoded = self._rates.fit(numbers, self._values.size, lessons.tags, lessons.by_word(), texts[lessons.passage])

        def rows(emphasis: "Floats") -> Rows:
            counted = lessons.by_word(emphasis)
            used = _places(counted > 0)
            return Rows(encoded[used], lessons.tags[used], counted[used])

        self._trees.fit(mixture, rows, progress)
        return self._rounds

    def _logits(self, numbers: Any) -> Any:
        return self._trees.scores(self._rates.encode(numbers))


def _places(wanted: Any) -> Any:
    """The places where something is wanted, as a slice where they stand in a row, since that copies nothing."""
    import numpy as np

    places = np.flatnonzero(wanted)
    in_a_row = len(places) and places[-1] - places[0] + 1 == len(places)
    return slice(places[0], places[-1] + 1) if in_a_row else places
