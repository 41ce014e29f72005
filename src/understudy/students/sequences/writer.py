"""Texts to texts: what is asked for is written word by word (Sutskever et al. 2014)."""

import math
import random
import re
from collections.abc import Sequence

from understudy.example import Example, Prediction
from understudy.students.pretrained import Pretrained
from understudy.students.sequences.model import SequenceModel
from understudy.students.sequences.settings import Search, Setup
from understudy.tasks.task import Task

_LINE = "\n"
_STAND_INS = (" ¶ ", " || ")
"""What may stand for a line break where a tokenizer takes one for any other space, as T5's and BERT's do."""


class SequenceWriter(SequenceModel):
    """Writes the target itself; its confidence is the geometric mean of its tokens' probabilities.

    A text without a word gets an empty answer. Line breaks are written as marks where the tokenizer does not know
    them; they are lost where it does not know the marks either.

    Args:
        task: A task of texts.
        setup: All the rest.
    """

    def __init__(self, task: Task, setup: Setup) -> None:
        super().__init__(task, setup)
        self._line = _LINE

    def _adopt(self, start: Pretrained) -> None:
        """Make a start this model's own, and choose how to write a line break."""
        super()._adopt(start)
        ways = [f"a{line}b" for line in (_LINE, *_STAND_INS)]
        kept = [way[1:-1] for way, written in zip(ways, self._tokens.written(ways), strict=True) if way == written]
        self._line = kept[0] if kept else _LINE

    def _wanted(self, example: Example, draw: random.Random) -> str:
        return str(example.target).replace(_LINE, self._line)

    def _answers(self, texts: Sequence[str], search: Search) -> list[Prediction]:
        worded = [place for place, text in enumerate(texts) if text.strip()]
        answers = [Prediction("", 1.0) for _ in texts]
        for place, written in zip(worded, self._written([texts[place] for place in worded], search), strict=True):
            confidence = math.exp(written.log_probability / written.tokens)
            answers[place] = Prediction(self._with_lines(written.text), confidence)
        return answers

    def _with_lines(self, text: str) -> str:
        """The text with its line breaks; one of nothing else stays as it is, since no answer is empty."""
        if self._line == _LINE:
            return text
        return re.sub(rf" *{re.escape(self._line.strip())} *", _LINE, text).strip() or text
