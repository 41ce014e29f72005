"""What taggers share that judge each word by itself: what they learn from, and the choice of a passage's tags."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from understudy.data.split import spread
from understudy.example import Example, Prediction
from understudy.progress import Progress
from understudy.segments import words
from understudy.students.spans.certainty import answer_temperature, judged_by
from understudy.students.spans.passages import Tagged, passages_of, tagged, texts_of
from understudy.students.spans.tags import Tags
from understudy.students.spans.values import Values
from understudy.students.student import Fit
from understudy.students.temperature import log_softmax
from understudy.tasks.task import Task
from understudy.training.mixtures import Mixture

_MOST_WORDS = 500_000
"""Words of each source that are learned from: as many as a few gigabytes hold."""
_COUNTED = 1_000
"""Texts whose words are counted to tell how many texts these are."""
_AT_ONCE = 1_000
"""Passages whose features are held in memory together."""


class Lessons(NamedTuple):
    """Passages to learn from, and what is wanted of their words.

    Attributes:
        passages: The passages.
        tags: The tag of each word of all passages in turn, shape (words,).
        passage: The number of each word's passage, shape (words,).
        text: The number of each passage's text, shape (passages,).
        weights: How much each passage counts, shape (passages,).
    """

    passages: list[str]
    tags: Any
    passage: Any
    text: Any
    weights: Any

    @classmethod
    def of(cls, examples: Sequence[Example], tags: Tags) -> "Lessons":
        """What there is to learn from passages with their spans."""
        import numpy as np

        wanted = [_wanted(example, tags) for example in examples]
        return cls(
            passages=[example.text for example in examples],
            tags=np.array([tag for some in wanted for tag in some], dtype=np.int64),
            passage=np.repeat(np.arange(len(wanted)), [len(some) for some in wanted]),
            text=texts_of(examples),
            weights=np.array([example.weight for example in examples]),
        )

    def by_word(self, emphasis: Any = 1.0) -> Any:
        """How much each word counts, shape (words,), where the passages have this emphasis, shape (passages,)."""
        return (emphasis * self.weights)[self.passage]


class WordwiseTagger(ABC):
    """A tagger that gives each word a probability for each tag, and chooses the best sequence that is allowed.

    Args:
        task: A task of spans.
        values: What it sees of a word.
    """

    temperature: float = 1.0

    def __init__(self, task: Task, values: Values) -> None:
        self._tags = Tags.of(task)
        self._values = values

    def fit(self, mixture: Mixture, validation: Sequence[Example], progress: Progress) -> Fit:
        """Learn from the mixture's passages; validation only sets the confidence.

        All words are held in memory, so that of a source with very many only texts at even distances are learned from.

        Raises:
            DataError: Not one text of a source that the mixture draws on holds a word.
        """
        some = mixture.thinned(_enough)
        if len(some.examples) < len(mixture.examples):
            progress.say(
                f"{len(some.examples):,} of {len(mixture.examples):,} texts are learned from: all fill the memory"
            )
        passages = some.split(passages_of)
        steps = self._learn(passages, Lessons.of(passages.examples, self._tags), progress)
        self.temperature = self._temperature(judged_by(validation))
        return Fit(steps=steps)

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """The entities of each text."""
        return tagged(texts, self._tags, self._tag)

    def write(self, folder: Path) -> None:
        """Write the values of features."""
        self._values.save(folder)

    def read(self, folder: Path) -> None:
        """Read back what `write` wrote."""
        self._values.load(folder)

    @abstractmethod
    def count_parameters(self) -> int:
        """How many learned numbers it holds."""

    @abstractmethod
    def _learn(self, mixture: Mixture, lessons: Lessons, progress: Progress) -> int:
        """Learn along a mixture of passages, whose words the lessons describe; returns the steps taken."""

    @abstractmethod
    def _logits(self, numbers: Any) -> Any:
        """Shape (words, tags), from the numbers of their values, shape (words, kinds)."""

    def _temperature(self, held_out: Sequence[Example]) -> float:
        """The temperature at which held-out passages are right as often as it says of them."""
        import numpy as np

        by_passage = [*self._by_passage([passage.text for passage in held_out])]
        paths = [self._tags.best_path(log_softmax(logits)) for logits in by_passage]
        passage = np.repeat(np.arange(len(paths)), [*map(len, paths)])
        logits = np.concatenate([np.zeros((0, len(self._tags))), *by_passage])
        path = [tag for each in paths for tag in each]

        def log_probabilities(temperature: float) -> Any:
            return np.bincount(passage, _likely(logits / temperature, path), len(paths))

        return answer_temperature(held_out, paths, log_probabilities, self._tags)

    def _tag(self, passages: Sequence[str]) -> list[Tagged]:
        return [self._decided(logits) for logits in self._by_passage(passages)]

    def _decided(self, logits: Any) -> Tagged:
        """The best sequence of tags, from logits of shape (words, tags)."""
        path = self._tags.best_path(log_softmax(logits))
        return Tagged(path, float(_likely(logits / self.temperature, path).sum()))

    def _by_passage(self, passages: Sequence[str]) -> Iterator[Any]:
        """The logits of each passage's words, shape (words, tags)."""
        import numpy as np

        for start in range(0, len(passages), _AT_ONCE):
            some = passages[start : start + _AT_ONCE]
            ends = np.cumsum([len(words(passage)) for passage in some])
            yield from np.split(self._logits(self._values.numbers(some)), ends[:-1])


def _likely(logits: Any, path: Sequence[int]) -> Any:
    """The logarithm of the probability of each word's tag, shape (words,), from logits of shape (words, tags)."""
    return log_softmax(logits)[range(len(path)), path]


def _enough(examples: Sequence[Example]) -> Sequence[Example]:
    """As many of a source's texts as hold about so many words as are learned from."""
    some = spread(examples, _COUNTED)
    words_each = max(1.0, sum(len(words(example.text)) for example in some) / max(1, len(some)))
    return spread(examples, max(1, int(_MOST_WORDS / words_each)))


def _wanted(example: Example, tags: Tags) -> list[int]:
    """The tag that each word of a passage should get."""
    return tags.encode(words(example.text), example.target if isinstance(example.target, tuple) else ())
