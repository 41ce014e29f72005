"""Texts to extracts by a pretrained encoder that is fine-tuned."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from understudy.data.files import write_json
from understudy.example import Example, Prediction
from understudy.progress import Progress
from understudy.students.extracts.documents import document
from understudy.students.extracts.selection import Selector, judged_by
from understudy.students.finetuned import FineTuned
from understudy.students.student import Fit
from understudy.tasks.free_text import as_text
from understudy.tasks.task import Task
from understudy.training.mixtures import Mixture
from understudy.training.regimen import Regimen

if TYPE_CHECKING:
    from understudy.students.extracts.networks import ExtractingEncoder
    from understudy.students.extracts.scoring import Scorer

_SELECTOR = "selector.json"
_AT_ONCE = 128
"""Texts that are answered together."""


class EncoderExtractor:
    """A pretrained encoder that reads each sentence, and a transformer layer over a document's (Liu and Lapata 2019).

    The layer is fitted to the encoder as it stands before both are fine-tuned (Kumar et al. 2022).

    Args:
        task: A task of texts, whose headline metric decides how much is taken.
        model: As `pretrained.locate` takes it.
        max_length: Tokens read of a sentence; a document may be of any length.
        dropout: The share of each sentence's numbers that is left out in training, before the layer.
        frozen_layers: As `networks.freeze` takes it.
        regimen: How it is trained.
    """

    temperature = 1.0  # what makes the confidence mean what it says is learned with the selection

    def __init__(
        self, task: Task, *, model: str, max_length: int, dropout: float, frozen_layers: int, regimen: Regimen
    ) -> None:
        self._task, self._dropout, self._regimen = task, dropout, regimen
        self._encoder = FineTuned(self._with_ranker, model=model, max_length=max_length, frozen_layers=frozen_layers)
        self._selector: Selector

    def fit(self, mixture: Mixture, validation: Sequence[Example], progress: Progress) -> Fit:
        """Learn from the mixture; the weights that score best on validation are kept."""
        from understudy.students.extracts import extracting
        from understudy.students.networks import plain_attention
        from understudy.training.loop import Optimisation, seeded

        task, regimen = self._task, self._regimen
        how = Optimisation.of(regimen, mixture, look_first=True)
        with seeded(regimen.seed):
            network = self._encoder.start()
            extracting.start_ranker(self._scorer, mixture, validation, task, regimen, progress)
            with plain_attention(network):
                fit = extracting.fit(self._scorer, mixture, validation, task, how, regimen, progress)
        self._learn_selection(judged_by(mixture, validation))
        return fit

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """An extract of each text."""
        answers = []
        for start in range(0, len(texts), _AT_ONCE):
            documents = [document(text) for text in texts[start : start + _AT_ONCE]]
            scores = self._scorer.scores(documents)
            answers += [Prediction(*self._selector.take(*pair)) for pair in zip(documents, scores, strict=True)]
        return answers

    def count_parameters(self) -> int:
        """How many learned numbers there are, token embeddings and frozen layers included."""
        return self._encoder.count_parameters()

    def write(self, folder: Path) -> None:
        """Write the backbone's configuration, the tokenizer, all weights, and the rule for taking sentences."""
        self._encoder.write(folder)
        write_json(folder / _SELECTOR, self._selector.to_json())

    def read(self, folder: Path) -> None:
        """Read back what `write` wrote, from these files alone."""
        self._encoder.read(folder)
        self._selector = Selector.from_json(json.loads((folder / _SELECTOR).read_text(encoding="utf-8")))

    def _with_ranker(self, backbone: Any) -> "ExtractingEncoder":
        """A backbone with a fresh ranker of sentences."""
        from understudy.students.extracts.networks import ExtractingEncoder

        return ExtractingEncoder(backbone, self._dropout)

    @property
    def _scorer(self) -> "Scorer":
        from understudy.students.extracts.scoring import Scorer

        return Scorer(self._encoder.network, self._encoder.encode, self._encoder.filler)

    def _learn_selection(self, examples: Sequence[Example]) -> None:
        """Learn how much to take from the scores of these examples' sentences."""
        documents = [document(example.text) for example in examples]
        summaries = [as_text(example.target) for example in examples]
        self._selector = Selector.learn(documents, self._scorer.scores(documents), summaries, self._task)
