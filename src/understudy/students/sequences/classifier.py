"""Texts to labels: each label's own words are as likely as a sequence model finds them."""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.data.files import write_json
from understudy.errors import ModelError
from understudy.example import Example, Prediction
from understudy.students.labels.decoder import LabelDecoder, target_distributions
from understudy.students.pretrained import Pretrained
from understudy.students.sequences.model import SequenceModel
from understudy.students.sequences.settings import Search, Setup
from understudy.tasks.task import Task

if TYPE_CHECKING:
    from torch import Tensor

_LABELS = "labels.json"


class SequenceClassifier(SequenceModel):
    """Learns to write labels, and answers with the one whose words, all together, it would likeliest write.

    So an answer is always one of the labels, however the model would have gone on by itself. Soft labels are learned
    from by drawing from them.

    Args:
        task: A task of labels.
        setup: All the rest.
    """

    def __init__(self, task: Task, setup: Setup) -> None:
        super().__init__(task, setup)
        self._decoder, self.temperature = LabelDecoder.of(task), 1.0
        self._said = self._decoder.labels

    def write(self, folder: Path) -> None:
        """Write the network, and the labels that it has learned."""
        super().write(folder)
        write_json(folder / _LABELS, self._decoder.labels)

    def read(self, folder: Path) -> None:
        """Read back what `write` wrote, for the same labels."""
        learned = json.loads((folder / _LABELS).read_text(encoding="utf-8"))
        if learned != self._decoder.labels:
            raise ModelError(f"{folder}: the labels in {_LABELS} are not those of the task")
        super().read(folder)

    def _adopt(self, start: Pretrained) -> None:
        """Make a start this model's own, and choose what to say for each label."""
        super()._adopt(start)
        labels = self._decoder.labels
        # Labels that are one to the tokenizer, such as ``US`` and ``us`` where it knows no capitals, go by numbers.
        numbers = [str(place) for place in range(len(labels))]
        ways = [said for said in (labels, numbers) if len({*map(tuple, self._tokens.targets(said))}) == len(labels)]
        if not ways:
            raise ModelError("the labels are one and the same to the model's tokenizer; choose another model")
        self._said = ways[0]

    def _wanted(self, example: Example, draw: random.Random) -> str:
        chances = target_distributions([example], self._decoder.labels)[0]
        place = draw.choices(range(len(chances)), chances.tolist())[0]
        return self._said[place]

    def _calibrate(self, validation: Sequence[Example]) -> None:
        logits = self._logits([example.text for example in validation]).numpy()
        self.temperature = self._decoder.temperature_for(logits, validation)

    def _answers(self, texts: Sequence[str], search: Search) -> list[Prediction]:
        return self._decoder.predictions(self._logits(texts).numpy(), self.temperature)

    def _logits(self, texts: Sequence[str]) -> "Tensor":
        """The log-probability of each label, shape (texts, labels)."""
        import torch

        from understudy.students.networks import device_of
        from understudy.students.sequences.generation import read_in_batches

        found = torch.empty(len(texts), len(self._said))
        sources = [self._setup.prefix + text for text in texts]
        with torch.inference_mode():
            for places, ids, mask in read_in_batches(self._tokens, sources, device_of(self._network)):
                states = self._network.read(ids, mask)
                found[places] = torch.stack([self._likely(states, mask, said) for said in self._said], dim=1).cpu()
        return found

    def _likely(self, states: "Tensor", mask: "Tensor", said: str) -> "Tensor":
        """The log-probability that this is what is written about each text, shape (texts,)."""
        from understudy.students.sequences.networks import paired

        targets = self._tokens.targets([said]) * len(states)
        inputs, wanted = paired(targets, self._tokens.opening, self._tokens.filler)
        likely: Tensor = self._network(states, mask, inputs.to(states.device), wanted.to(states.device)).sum(dim=1)
        return likely
