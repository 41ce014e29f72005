"""Words to tags by a pretrained encoder that is fine-tuned."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from understudy.example import Example, Prediction, whole
from understudy.progress import Progress
from understudy.segments import Bounds, words
from understudy.students.finetuned import FineTuned
from understudy.students.spans.passages import passages_of
from understudy.students.spans.shapes import NO_SHAPE, shape
from understudy.students.spans.tags import Tags
from understudy.students.student import Fit
from understudy.tasks.task import Task
from understudy.training.mixtures import Mixture
from understudy.training.regimen import Regimen

if TYPE_CHECKING:
    from understudy.students.spans.networks import TaggingEncoder
    from understudy.students.spans.tagging import Tagger
    from understudy.training.loop import Batch

Subwords = Literal["first", "mean"]
"""Which of a word's subwords speak for it: the first one, or the mean of all."""

_NO_WORD = -1


@dataclass(frozen=True, slots=True)
class Reading:
    """What the encoder sees of a passage.

    Attributes:
        ids: Its tokens.
        shapes: The shape of the word that each token belongs to.
        places: The place of that word; -1 for none, as of the marks at beginning and end.
        read: How many of the passage's words that are.
    """

    ids: Sequence[int]
    shapes: Sequence[int]
    places: Sequence[int]
    read: int

    def __len__(self) -> int:
        return self.read


class EncoderTagger:
    """A pretrained encoder with a linear head over each word's state (Devlin et al. 2019), which sees capitals too.

    Args:
        task: A task of spans.
        model: As `pretrained.locate` takes it.
        max_length: Tokens read of a sentence; words behind them are in no entity.
        subwords: Which of a word's subwords speak for it.
        crf: Whether it is learned what tag follows what; otherwise only what may follow counts.
        dropout: The share of each word's numbers that is left out in training.
        frozen_layers: As `networks.freeze` takes it.
        regimen: How it is trained.
    """

    def __init__(
        self,
        task: Task,
        *,
        model: str,
        max_length: int,
        subwords: Subwords,
        crf: bool,
        dropout: float,
        frozen_layers: int,
        regimen: Regimen,
    ) -> None:
        self._task, self._tags, self.temperature = task, Tags.of(task), 1.0
        self._subwords, self._crf, self._dropout, self._regimen = subwords, crf, dropout, regimen
        self._encoder = FineTuned(self._with_head, model=model, max_length=max_length, frozen_layers=frozen_layers)

    def fit(self, mixture: Mixture, validation: Sequence[Example], progress: Progress) -> Fit:
        """Learn from the mixture's sentences; the weights that score best on validation are kept."""
        from understudy.students.networks import plain_attention
        from understudy.students.spans import tagging
        from understudy.training.loop import Optimisation, seeded

        regimen, passages = self._regimen, mixture.split(passages_of)
        how = Optimisation.of(regimen, passages)
        with seeded(regimen.seed), plain_attention(self._encoder.start()):
            fit = tagging.fit(self._tagger, passages, validation, self._task, how, regimen, progress)
        self.temperature = self._tagger.temperature_for(validation)
        return fit

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """The entities of each text."""
        return self._tagger.predict(texts, self.temperature)

    def count_parameters(self) -> int:
        """How many learned numbers there are, token embeddings and frozen layers included."""
        return self._encoder.count_parameters()

    def write(self, folder: Path) -> None:
        """Write the backbone's configuration, the tokenizer, and the weights of backbone, shapes and head."""
        self._encoder.write(folder)

    def read(self, folder: Path) -> None:
        """Read back what `write` wrote, from these files alone."""
        self._encoder.read(folder)

    def _with_head(self, backbone: Any) -> "TaggingEncoder":
        """A backbone with a fresh head for the task's tags."""
        from understudy.students.spans.networks import TaggingEncoder

        return TaggingEncoder(backbone, self._tags, dropout=self._dropout, crf=self._crf)

    @property
    def _tagger(self) -> "Tagger":
        from understudy.students.spans.tagging import Tagger

        return Tagger(self._encoder.network, self._read, self._batch, self._tags)

    def _read(self, passages: Sequence[str]) -> list[Reading]:
        encodings = self._encoder.tokenizer.encode_batch([*map(whole, passages)])
        return [reading(passage, encoding) for passage, encoding in zip(passages, encodings, strict=True)]

    def _batch(self, readings: Sequence[Reading]) -> "Batch":
        """Tokens and their shapes, where they are, where words are, and how states of tokens become those of words."""
        import torch

        from understudy.students.spans.networks import pooling
        from understudy.training.batching import pad

        ids, tokens = pad([each.ids for each in readings], self._encoder.filler)
        shapes, _ = pad([each.shapes for each in readings], NO_SHAPE)
        places, _ = pad([each.places for each in readings], _NO_WORD)
        lengths = torch.tensor([*map(len, readings)])
        mask = torch.arange(int(lengths.max())) < lengths.unsqueeze(1)
        weight = pooling(places, mask.shape[1], first=self._subwords == "first")
        return {"ids": ids, "tokens": tokens, "shapes": shapes, "mask": mask, "pooling": weight}


def reading(passage: str, encoding: Any) -> Reading:
    """What the encoder sees of a passage, its tokens lined up with its words by where they stand.

    A token belongs to the word in which its last character stands, since some begin with the space before it. Words
    behind the last one with a token (the passage was cut there, or the tokenizer sees nothing in them) are not read.
    """
    bounds = words(passage)
    places = [_word_at(end - 1, bounds) if start < end else _NO_WORD for start, end in encoding.offsets]
    shapes = [NO_SHAPE if place < 0 else shape(passage[slice(*bounds[place])]) for place in places]
    return Reading(encoding.ids, shapes, places, read=max([1, *(place + 1 for place in places)]))


def _word_at(character: int, bounds: Sequence[Bounds]) -> int:
    """The place of the word in which a character stands, -1 if it stands in none."""
    place = bisect_right(bounds, character, key=lambda word: word[0]) - 1
    return place if place >= 0 and character < bounds[place][1] else _NO_WORD
