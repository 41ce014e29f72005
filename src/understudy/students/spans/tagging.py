"""What the torch students share when targets are spans: learning from a mixture of passages, and tagging words."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from understudy.example import Example, Prediction
from understudy.progress import Progress
from understudy.segments import words
from understudy.students.networks import device_of
from understudy.students.spans.certainty import answer_temperature, judged_by
from understudy.students.spans.passages import Tagged, tagged
from understudy.students.spans.tags import OUTSIDE, Tags
from understudy.students.student import Fit
from understudy.tasks.task import Task
from understudy.training.batching import by_length, pad
from understudy.training.judge import judge
from understudy.training.loop import Batch, Optimisation, train
from understudy.training.mixtures import Mixture
from understudy.training.regimen import Regimen

Floats = NDArray[np.floating]

_AT_ONCE = 32
"""Passages in a batch of prediction."""


@dataclass(frozen=True, slots=True)
class _Scored:
    """What a network says of a batch of passages.

    Attributes:
        places: Where each stands among all passages.
        scores: What each tag is worth for each word, shape (passages, words, tags).
        mask: Where words are, shape (passages, words).
        paths: The best sequences of tags, shape (passages, words).
        tags: The same for each passage's words; those that are not read are in no entity.
    """

    places: Sequence[int]
    scores: Tensor
    mask: Tensor
    paths: Tensor
    tags: Sequence[Sequence[int]]


@dataclass(frozen=True, slots=True)
class Tagger:
    """A network that tags words, and what turns passages into its input.

    Attributes:
        network: From a batch to scores, shape (passages, words, tags); its ``crf`` judges whole sequences of tags.
        read: From passages to what the network sees of each; its length is how many of the passage's words that are.
        batch: From some of these to one batch, whose ``mask`` says where words are.
        tags: The tags, in the order of the scores.
    """

    network: Any
    read: Callable[[Sequence[str]], Sequence[Any]]
    batch: Callable[[Sequence[Any]], Batch]
    tags: Tags

    def predict(self, texts: Sequence[str], temperature: float) -> list[Prediction]:
        """The entities of each text."""
        with torch.inference_mode():
            return tagged(texts, self.tags, partial(self._tag, temperature))

    def temperature_for(self, validation: Sequence[Example]) -> float:
        """The temperature at which validation examples are right as often as it says of them."""
        passages = judged_by(validation)
        with torch.inference_mode():
            scored = [*self._scored([passage.text for passage in passages])]
            paths = [each.tags for each in self._decided(scored, len(passages), 1.0)]

            def log_probabilities(temperature: float) -> Floats:
                return np.array([each.log_probability for each in self._decided(scored, len(passages), temperature)])

            return answer_temperature(passages, paths, log_probabilities, self.tags)

    def wanted(self, passage: Example) -> list[int]:
        """The tag that each word of a passage should get."""
        return self.tags.encode(words(passage.text), passage.target if isinstance(passage.target, tuple) else ())

    def _tag(self, temperature: float, passages: Sequence[str]) -> list[Tagged]:
        return self._decided(self._scored(passages), len(passages), temperature)

    def _decided(self, scored: Iterable[_Scored], count: int, temperature: float) -> list[Tagged]:
        """The tags of each passage's words, of so many passages, and how sure they are at a temperature."""
        found = [Tagged([], 0.0)] * count
        for some in scored:
            unlikely = self.network.crf(some.scores, some.paths, some.mask, temperature).tolist()
            for place, tags, log in zip(some.places, some.tags, unlikely, strict=True):
                found[place] = Tagged(tags, -log)
        return found

    def _scored(self, passages: Sequence[str]) -> Iterator[_Scored]:
        """The passages batch by batch, in any order."""
        device = device_of(self.network)
        for places in by_length([*map(len, passages)], _AT_ONCE):
            read = self.read([passages[place] for place in places])
            batch = {name: tensor.to(device) for name, tensor in self.batch(read).items()}
            scores, mask = self.network(batch), batch["mask"]
            paths = self.network.crf.best_paths(scores, mask)
            unread = [len(words(passages[place])) - len(each) for place, each in zip(places, read, strict=True)]
            tags = [
                [*path[: len(each)], *[OUTSIDE] * rest]
                for path, each, rest in zip(paths.tolist(), read, unread, strict=True)
            ]
            yield _Scored(places, scores, mask, paths, tags)


def fit(
    tagger: Tagger,
    mixture: Mixture,
    validation: Sequence[Example],
    task: Task,
    how: Optimisation,
    regimen: Regimen,
    progress: Progress,
) -> Fit:
    """Train a tagger on a mixture of passages, and keep the weights that did best on validation."""

    def loss(batch: Batch) -> Tensor:
        unlikely: Tensor = tagger.network.crf(tagger.network(batch), batch["wanted"], batch["mask"])
        return (batch["weight"] * unlikely).sum() / batch["mask"].sum()

    def answer() -> tuple[list[Prediction], float]:
        return tagger.predict([example.text for example in validation], temperature=1.0), 0.0

    batches = _batches(tagger, mixture, how.steps, regimen)
    with progress.bar(f"training on {mixture.name}", how.steps) as bar:
        course = train(tagger.network, batches, loss, how, bar, judge(task, validation, answer))
    return Fit(course.steps, course.history)


def _batches(tagger: Tagger, mixture: Mixture, steps: int, regimen: Regimen) -> Iterator[Batch]:
    """The mixture's batches as tensors: what the network reads, the wanted tags, and each passage's weight."""
    passages = mixture.examples
    lengths = [len(passage.text) for passage in passages]
    for places in mixture.batches(steps, regimen.batch_size, regimen.seed, lengths=lengths):
        some = [passages[place] for place in places]
        read = tagger.read([passage.text for passage in some])  # as they are drawn: all at once fill the memory
        wanted = [tagger.wanted(passage)[: len(each)] for passage, each in zip(some, read, strict=True)]
        weight = torch.tensor([passage.weight for passage in some])
        yield {**tagger.batch(read), "wanted": pad(wanted, OUTSIDE)[0], "weight": weight}
