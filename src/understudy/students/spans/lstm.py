"""Words to tags by a bidirectional LSTM over words and characters that it learns itself."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.data.files import write_json
from understudy.example import Example, Prediction
from understudy.progress import Progress
from understudy.segments import words
from understudy.students import worded
from understudy.students.spans.passages import passages_of
from understudy.students.spans.shapes import shape
from understudy.students.spans.tags import Tags
from understudy.students.student import Fit
from understudy.students.words import PADDING, Vocabulary, most_frequent
from understudy.tasks.task import Task
from understudy.training.mixtures import Mixture
from understudy.training.regimen import Regimen

if TYPE_CHECKING:
    from understudy.students.spans.networks import TaggingLSTM
    from understudy.students.spans.tagging import Tagger
    from understudy.training.loop import Batch

_WORDS = 30_000
_CHARACTERS = 500
_LONGEST_WORD = 24
"""Characters read of a word."""
_VOCABULARY = "vocabulary.json"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the LSTM sees of a passage: the number, the characters' numbers, and the shape of each word."""

    words: Sequence[int]
    characters: Sequence[Sequence[int]]
    shapes: Sequence[int]

    def __len__(self) -> int:
        return len(self.words)


class LSTMTagger:
    """A character CNN, word vectors, a bidirectional LSTM and a CRF (Ma and Hovy 2016).

    Args:
        task: A task of spans.
        vectors: A file of word vectors to start from.
        embedding_size: Numbers in a word's vector, where there is no such file.
        hidden_size: Numbers in the LSTM's state, for each direction.
        max_length: Words read of a sentence; those behind them are in no entity.
        dropout: The share of a word's numbers that is left out in training, before and behind the LSTM.
        word_dropout: The share of words made unknown in training, all but their characters and shape.
        regimen: How it is trained.
    """

    def __init__(
        self,
        task: Task,
        *,
        vectors: Path | None,
        embedding_size: int,
        hidden_size: int,
        max_length: int,
        dropout: float,
        word_dropout: float,
        regimen: Regimen,
    ) -> None:
        self._task, self._tags, self._regimen = task, Tags.of(task), regimen
        self._vectors, self._embedding_size, self._hidden_size = vectors, embedding_size, hidden_size
        self._max_length, self._dropout, self._word_dropout = max_length, dropout, word_dropout
        self.temperature = 1.0

    def fit(self, mixture: Mixture, validation: Sequence[Example], progress: Progress) -> Fit:
        """Learn from the mixture's sentences; the weights that score best on validation are kept."""
        from understudy.students.spans import tagging
        from understudy.training.loop import Optimisation, seeded

        regimen, passages = self._regimen, mixture.split(passages_of)
        how = Optimisation.of(regimen, passages, bf16=False)
        with seeded(regimen.seed):
            self._vocabulary = Vocabulary(most_frequent(map(str.lower, self._spellings(passages)), _WORDS))
            self._characters = Vocabulary(most_frequent(chain.from_iterable(self._spellings(passages)), _CHARACTERS))
            self._network = worded.start(self._build, self._vocabulary.words, self._vectors, self._embedding_size)
            fit = tagging.fit(self._tagger, passages, validation, self._task, how, regimen, progress)
        self.temperature = self._tagger.temperature_for(validation)
        return fit

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """The entities of each text."""
        return self._tagger.predict(texts, self.temperature)

    def count_parameters(self) -> int:
        """How many learned numbers there are, word vectors included."""
        from understudy.students.networks import count_parameters

        return count_parameters(self._network)

    def write(self, folder: Path) -> None:
        """Write the vocabularies of words and characters, and the weights."""
        known = {"words": self._vocabulary.words, "characters": self._characters.words}
        write_json(folder / _VOCABULARY, known)
        worded.write(self._network, folder)

    def read(self, folder: Path) -> None:
        """Read back what `write` wrote."""
        known = json.loads((folder / _VOCABULARY).read_text(encoding="utf-8"))
        self._vocabulary = Vocabulary.from_json(known["words"])
        self._characters = Vocabulary.from_json(known["characters"])
        self._network = worded.read(self._build, folder)

    def _build(self, embedding_size: int) -> "TaggingLSTM":
        """A fresh network for the vocabularies and the task's tags."""
        from understudy.students.spans.networks import TaggingLSTM

        return TaggingLSTM(
            self._tags,
            words=len(self._vocabulary),
            characters=len(self._characters),
            embedding_size=embedding_size,
            hidden_size=self._hidden_size,
            dropout=self._dropout,
            word_dropout=self._word_dropout,
        )

    @property
    def _tagger(self) -> "Tagger":
        from understudy.students.spans.tagging import Tagger

        return Tagger(self._network, self._read, self._batch, self._tags)

    def _spellings(self, passages: Mixture) -> Iterator[str]:
        """All words that are learned from, one after another."""
        return (word for passage in passages.examples for word in self._words_of(passage.text))

    def _words_of(self, passage: str) -> list[str]:
        """The first words of a passage, as far as it is read."""
        return [passage[start:end] for start, end in islice(words(passage), self._max_length)]

    def _read(self, passages: Sequence[str]) -> list[Reading]:
        return [self._reading(self._words_of(passage)) for passage in passages]

    def _reading(self, spellings: Sequence[str]) -> Reading:
        return Reading(
            words=[self._vocabulary.number(word.lower()) for word in spellings],
            characters=[[*map(self._characters.number, word[:_LONGEST_WORD])] for word in spellings],
            shapes=[shape(word) for word in spellings],
        )

    def _batch(self, readings: Sequence[Reading]) -> "Batch":
        """The numbers of words and shapes, shape (passages, words), and of their characters."""
        from understudy.training.batching import pad

        ids, mask = pad([reading.words for reading in readings], PADDING)
        shapes, _ = pad([reading.shapes for reading in readings], 0)
        blank = [[PADDING]] * mask.shape[1]
        spelled = [word for reading in readings for word in [*reading.characters, *blank][: mask.shape[1]]]
        characters, _ = pad(spelled, PADDING)
        return {"words": ids, "characters": characters.view(*mask.shape, -1), "shapes": shapes, "mask": mask}
