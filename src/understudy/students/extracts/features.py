"""What linear and boosted extractors see of a sentence: its place, its length, its words, and what the others say."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from understudy.segments import words
from understudy.students.tfidf import TfIdf

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from understudy.students.tfidf import Sparse

    Floats = NDArray[np.float32]

Document = Sequence[str]

_AT_ONCE = 256
"""Documents whose word weights are held in memory together."""
_ALIKE = 0.1
"""The cosine from which two sentences are neighbours in LexRank's graph."""
_PRONOUNS = {"he", "she", "it", "they", "his", "her", "its", "their", "this", "that", "these", "those", "there"}
"""Sentences that begin with one of them lean on another."""
_CUES = {"said", "says", "told", "asked", "but", "however", "also", "meanwhile", "will", "after", "new"}
"""Words that summaries take up or leave out more often than others (Edmundson 1969)."""
_QUOTES = set("\"“”„«»‘’'`")
_FIRST = 3
"""So many sentences at the beginning have a feature of their own."""
_SHORT = 8
"""Words in a sentence that hardly says enough by itself."""
_CONTENT = 4
"""Letters from which a word is taken to mean something."""


class SentenceFeatures:
    """Numbers for each sentence of a document, by which the telling ones can be told.

    They are: its place; its length; how like it is to the document as a whole, to its neighbours in the graph of like
    sentences (LexRank: Erkan and Radev 2004), to the first sentence and to what was said before; and the names,
    numbers, quotes and cue words in it. The cues and pronouns are English; no other language has them.

    Args:
        weights: The weights of words, learned from the training texts.
    """

    size = _FIRST + 22

    def __init__(self, weights: TfIdf) -> None:
        self._weights = weights

    def learn(self, documents: Sequence[Document]) -> None:
        """Learn how rare words are.

        Raises:
            ModelError: Not one document holds a word.
        """
        self._weights.fit([" ".join(sentences) for sentences in documents])

    def of(self, documents: Sequence[Document]) -> "Floats":
        """The features of the sentences of these documents, one after another, shape (sentences, features)."""
        import numpy as np

        rows = [np.zeros((0, self.size), dtype=np.float32)]
        remaining = iter(documents)
        while batch := list(islice(remaining, _AT_ONCE)):
            weights = self._weights.transform(list(chain.from_iterable(batch)) or [""])
            start = 0
            for sentences in filter(None, batch):
                rows.append(_features(sentences, weights[start : start + len(sentences)]))
                start += len(sentences)
        return np.concatenate(rows)

    def save(self, folder: Path) -> None:
        """Write the words and their weights."""
        self._weights.save(folder)

    def load(self, folder: Path) -> None:
        """Read back what `save` wrote.

        Raises:
            ModelError: A weight is not a number.
        """
        self._weights.load(folder)


def _features(sentences: Document, weights: "Sparse") -> "Floats":
    """All features of a document's sentences, shape (sentences, features)."""
    import numpy as np

    spoken = [[sentence[start:end] for start, end in words(sentence)] for sentence in sentences]
    groups = [_places(len(sentences)), _lengths(spoken), _likeness(weights), _surface(spoken)]
    return np.hstack(groups).astype(np.float32)


def _places(count: int) -> "Floats":
    """Where each sentence stands, shape (sentences, _FIRST + 5)."""
    import numpy as np

    place = np.arange(count)
    first = [place == number for number in range(_FIRST)]
    last, left = place == count - 1, place / max(count - 1, 1)
    return np.stack([*first, last, left, 1 / (1 + place), np.log1p(place), np.full(count, math.log1p(count))], axis=1)


def _lengths(spoken: Sequence[Sequence[str]]) -> "Floats":
    """How long each sentence is, by itself and beside the others, shape (sentences, 3)."""
    import numpy as np

    length = np.array([len(sentence) for sentence in spoken])
    return np.stack([np.log1p(length), length / max(length.mean(), 1), length < _SHORT], axis=1)


def _likeness(weights: "Sparse") -> "Floats":
    """How like each sentence is to the others, shape (sentences, 6); weights have shape (sentences, words)."""
    import numpy as np

    likeness = (weights @ weights.T).toarray()
    count = len(likeness)
    norm = math.sqrt(max(likeness.sum(), 1e-9))  # the length of the sum of all sentences' weights
    central = likeness.sum(axis=1) / norm
    before = np.tril(likeness, -1).max(axis=1)
    rank = central.argsort(kind="stable").argsort(kind="stable") / max(count - 1, 1)
    following = np.append(likeness.diagonal(1), 0.0)
    return np.stack([central, rank, (likeness > _ALIKE).mean(axis=1), likeness[0], before, following], axis=1)


def _surface(spoken: Sequence[Sequence[str]]) -> "Floats":
    """What stands in each sentence, shape (sentences, 8)."""
    import numpy as np

    lower = [[word.lower() for word in sentence] for sentence in spoken]
    counts = Counter(word for sentence in lower for word in sentence if len(word) >= _CONTENT)
    rows = [
        (
            _share(word[0].isupper() for word in sentence[1:]),
            _share(word[0].isdigit() for word in sentence),
            any(word in _QUOTES for word in sentence),
            small[0] in _PRONOUNS,
            _share(word in _CUES for word in small),
            small[-1] == "?",
            _share(len(word) >= _CONTENT for word in small),
            sum(counts[word] for word in small) / (len(small) * max(counts.total(), 1)),
        )
        for sentence, small in zip(spoken, lower, strict=True)
    ]
    return np.array(rows, dtype=np.float32)


def _share(values: Iterable[bool]) -> float:
    """How many of some values are true, in [0, 1]."""
    listed = list(values)
    return sum(listed) / max(len(listed), 1)
