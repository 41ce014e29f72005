"""Texts to spans: the entities of each passage are written down, and looked up in it."""

import random
from collections.abc import Sequence
from dataclasses import replace

from understudy.errors import ModelError
from understudy.example import Example, Prediction
from understudy.segments import words
from understudy.students.pretrained import Pretrained
from understudy.students.sequences import mentions
from understudy.students.sequences.model import SequenceModel
from understudy.students.sequences.settings import Search, Setup
from understudy.students.spans.passages import Tagged, passages_of, tagged
from understudy.students.spans.tags import Tags
from understudy.tasks.task import Task


class SequenceTagger(SequenceModel):
    """Writes entities as text (Paolini et al. 2021); its confidence is the probability of all its lines.

    Args:
        task: A task of spans.
        setup: All the rest; reasons for a text are none for its passages, and are left out.
    """

    def __init__(self, task: Task, setup: Setup) -> None:
        super().__init__(task, setup)
        self._tags = Tags.of(task)
        self._names = dict(zip(self._tags.types, self._tags.types, strict=True))

    def _adopt(self, start: Pretrained) -> None:
        """Make a start this model's own, and choose what to call each type."""
        super()._adopt(start)
        types = self._tags.types
        # Types that cannot be read back, such as ``a|b``, or ``PER`` beside ``per``, go by numbers.
        numbers = [str(place) for place in range(len(types))]
        ways = [names for names in (types, numbers) if mentions.are_readable(names, self._tokens.written(names))]
        if not ways:
            raise ModelError("the model's tokenizer cannot write the types, nor numbers; choose another model")
        self._names = dict(zip(types, ways[0], strict=True))

    def _parts(self, example: Example) -> list[Example]:
        return [replace(passage, meta={}) for passage in passages_of(example)]

    def _wanted(self, example: Example, draw: random.Random) -> str:
        bounds = words(example.text)
        spans = example.target if isinstance(example.target, tuple) else ()
        whole_words = self._tags.decode(bounds, self._tags.encode(bounds, spans))
        return mentions.render(whole_words, example.text, self._names)

    def _answers(self, texts: Sequence[str], search: Search) -> list[Prediction]:
        return tagged(texts, self._tags, lambda passages: self._tagged(passages, search))

    def _tagged(self, passages: list[str], search: Search) -> list[Tagged]:
        """The tags of each passage's words."""
        return [
            Tagged(
                self._tags.encode(words(passage), mentions.found(line.text, passage, self._names)),
                line.log_probability,
            )
            for passage, line in zip(passages, self._written(passages, search), strict=True)
        ]
