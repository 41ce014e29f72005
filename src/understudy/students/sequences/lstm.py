"""Texts written by an LSTM that can also copy words out of its source."""

import json
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.data.files import write_json
from understudy.data.split import spread
from understudy.example import Example, Prediction
from understudy.progress import Progress
from understudy.students import worded
from understudy.students.sequences.habits import Habits
from understudy.students.sequences.pieces import END, JOINT, LINE, OpenVocabulary, Reading, pieces
from understudy.students.student import Fit
from understudy.students.words import PADDING
from understudy.tasks.free_text import as_text
from understudy.tasks.task import Task
from understudy.training.judge import Judge, judge
from understudy.training.mixtures import Mixture
from understudy.training.regimen import Regimen

if TYPE_CHECKING:
    from torch import Tensor

    from understudy.students.sequences.pointer import PointerGenerator
    from understudy.training.loop import Batch

_WORDS = 20_000
_LONGEST = 120
"""Pieces of a target, its end among them; the rest is not learned."""

_COVERAGE = 1.0
"""How much attending again to the same words costs in training, beside one for the words written."""

_BEAMS = 4
_AT_ONCE = 16
"""Texts in a batch of prediction."""

_JUDGED = 64
"""Validation texts that are written for a look at how the training goes."""

_VOCABULARY = "vocabulary.json"


class LSTMWriter:
    """A pointer-generator with coverage (See, Liu and Manning 2017).

    Args:
        task: A task of texts.
        vectors: A file of word vectors to start from, if any.
        embedding_size: Numbers in a word's vector, where no file says so.
        hidden_size: Numbers in the LSTM's state, for each direction.
        max_length: Words read of a text.
        dropout: The share of numbers that is left out in training, for vectors and for the states.
        word_dropout: The share of words made unknown in training.
        regimen: How it is trained.
    """

    temperature = 1.0

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
        self._task, self._max_length, self._regimen = task, max_length, regimen
        self._vectors, self._embedding_size, self._hidden_size = vectors, embedding_size, hidden_size
        self._dropout, self._word_dropout = dropout, word_dropout

    def fit(self, mixture: Mixture, validation: Sequence[Example], progress: Progress) -> Fit:
        """Learn from the mixture; the weights whose texts score best on validation are kept."""
        from understudy.training.loop import Optimisation, seeded, train

        regimen = self._regimen
        how = Optimisation.of(regimen, mixture, bf16=False)
        with seeded(regimen.seed), progress.bar(f"training on {mixture.name}", how.steps) as bar:
            self._learn_words(mixture)
            spellings = [piece.strip() for piece in self._words.known.words]
            self._network = worded.start(self._build, spellings, self._vectors, self._embedding_size)
            batches = self._batches(mixture, how.steps)
            course = train(self._network, batches, self._loss, how, bar, self._judge(spread(validation, _JUDGED)))
        return Fit(course.steps, course.history)

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """The text that beam search finds for each; a text without a word gets an empty one."""
        return self._write(texts, _BEAMS)

    def count_parameters(self) -> int:
        """How many learned numbers there are, word vectors included."""
        from understudy.students.networks import count_parameters

        return count_parameters(self._network)

    def write(self, folder: Path) -> None:
        """Write vocabulary and weights."""
        write_json(folder / _VOCABULARY, {"habits": self._habits.to_json(), "words": self._words.known.words})
        worded.write(self._network, folder)

    def read(self, folder: Path) -> None:
        """Read back what `write` wrote."""
        known = json.loads((folder / _VOCABULARY).read_text(encoding="utf-8"))
        self._words = OpenVocabulary.from_json(known["words"])
        self._habits = Habits.from_json(known["habits"], _LONGEST + 1)
        self._network = worded.read(self._build, folder)

    def _learn_words(self, mixture: Mixture) -> None:
        """Learn from the examples which words there are, and how targets are written."""
        texts = chain.from_iterable((example.text, as_text(example.target)) for example in mixture.examples)
        self._words = OpenVocabulary.of(texts, _WORDS, self._max_length)
        self._habits = Habits.of(pieces(as_text(example.target), _LONGEST) for example in mixture.examples)

    def _build(self, embedding_size: int) -> "PointerGenerator":
        from understudy.students.sequences.pointer import PointerGenerator

        return PointerGenerator(
            words=len(self._words.known),
            embedding_size=embedding_size,
            hidden_size=self._hidden_size,
            dropout=self._dropout,
            word_dropout=self._word_dropout,
        )

    def _batches(self, mixture: Mixture, steps: int) -> "Iterator[Batch]":
        """The mixture's batches as tensors; texts become numbers as they are drawn, since all at once are too many."""
        lengths = [len(example.text) for example in mixture.examples]
        for places in mixture.batches(steps, self._regimen.batch_size, self._regimen.seed, lengths):
            yield self._batch([mixture.examples[place] for place in places])

    def _batch(self, examples: Sequence[Example]) -> "Batch":
        """Examples as tensors: the source and its mask, what is wanted and where, what stands before it, the weight."""
        import torch

        from understudy.training.batching import pad

        readings = [self._read(example.text) for example in examples]
        targets = zip(examples, readings, strict=True)
        ids, mask = pad([reading.ids for reading in readings], PADDING)
        wanted, asked = pad([self._words.wanted(as_text(e.target), r.strangers, _LONGEST) for e, r in targets], PADDING)
        previous = torch.cat([torch.full((len(wanted), 1), END), wanted[:, :-1]], dim=1)
        weight = torch.tensor([example.weight for example in examples])
        return {"ids": ids, "mask": mask, "previous": previous, "wanted": wanted, "asked": asked, "weight": weight}

    def _loss(self, batch: "Batch") -> "Tensor":
        """The mean over the words that are wanted: of how improbable they are, and of attending to the same again."""
        logs, overlap = self._network(batch["ids"], batch["mask"], batch["previous"], batch["wanted"])
        weight = batch["asked"] * batch["weight"].unsqueeze(1)
        loss: Tensor = ((_COVERAGE * overlap - logs) * weight).sum() / batch["asked"].sum()
        return loss

    def _judge(self, validation: Sequence[Example]) -> Judge | None:
        """What takes the network's score and loss on validation, if there is any, as it stands."""

        def answer() -> tuple[list[Prediction], float]:
            device = self._network.offsets.device
            loss = self._loss({name: tensor.to(device) for name, tensor in self._batch(validation).items()})
            return self._write([example.text for example in validation], beams=1), float(loss)

        return judge(self._task, validation, answer)

    def _write(self, texts: Sequence[str], beams: int) -> list[Prediction]:
        """The text that a search with so many beams finds for each."""
        from understudy.training.batching import by_length

        readings = [self._read(text) for text in texts]
        answers = [Prediction("", 1.0) for _ in texts]
        full = [place for place, reading in enumerate(readings) if reading.ids]
        for batch in by_length([len(readings[place].ids) for place in full], _AT_ONCE):
            places = [full[number] for number in batch]
            written = self._search([readings[place] for place in places], beams)
            for place, answer in zip(places, written, strict=True):
                answers[place] = answer
        return answers

    def _search(self, readings: Sequence[Reading], beams: int) -> list[Prediction]:
        """The most probable text for each of some sources, none of which is empty."""
        import torch

        from understudy.students.sequences.decoding import Decoding, beam_search
        from understudy.training.batching import pad

        network = self._network
        ids, mask = (part.to(network.offsets.device) for part in pad([reading.ids for reading in readings], PADDING))
        size = len(self._words.known) + max(len(reading.strangers) for reading in readings)
        how = Decoding(beams=beams, habits=self._habits, end=END, late=[LINE, JOINT])
        with torch.inference_mode():
            source, memory = network.read(ids, mask)
            rows = torch.arange(len(ids), device=ids.device).repeat_interleave(beams)
            source, memory = source.chosen(rows), memory.chosen(rows)
            found = beam_search(lambda last, state: network.next_words(last, source, state, size), memory, how)
        texts = [self._words.text(one.words, reading.strangers) for one, reading in zip(found, readings, strict=True)]
        return [Prediction(text, one.probability) for text, one in zip(texts, found, strict=True)]

    def _read(self, text: str) -> Reading:
        return self._words.read(text, self._max_length)
