"""Words of a text and their numbers: the vocabulary of students that learn their own word vectors."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from understudy.errors import ModelError

PADDING, UNKNOWN = 0, 1
_RESERVED = 2
_WORD = re.compile(r"\w+|[^\w\s]")


class Vocabulary:
    """The words that a student knows; all others are one and the same unknown word.

    Args:
        words: Each once; the first has the number 2, because 0 is padding and 1 the unknown word.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = list(words)
        self._numbers = {word: number for number, word in enumerate(words, start=_RESERVED)}

    @classmethod
    def of(cls, texts: Iterable[str], size: int) -> "Vocabulary":
        """The most frequent words of some texts, at most ``size``, equally frequent ones in alphabetical order."""
        return cls(most_frequent((word for text in texts for word in split(text)), size))

    @classmethod
    def from_json(cls, value: object) -> "Vocabulary":
        """The vocabulary in a model folder: a list of words.

        Raises:
            ModelError: It is not a list of different words.
        """
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise ModelError("the vocabulary is not a list of words")
        if len(set(value)) < len(value):
            raise ModelError("the vocabulary holds a word twice")
        return cls(value)

    def __len__(self) -> int:
        """How many numbers there are: the words, padding and the unknown word."""
        return len(self.words) + _RESERVED

    def encode(self, text: str, longest: int) -> list[int]:
        """The numbers of a text's first words."""
        return [self.number(word) for word in split(text, longest)]

    def number(self, word: str) -> int:
        """The number of a word; that of the unknown word if it is not known."""
        return self._numbers.get(word, UNKNOWN)


def most_frequent(words: Iterable[str], size: int, least: int = 1) -> list[str]:
    """The most frequent words that occur at least so many times, equally frequent ones in alphabetical order."""
    counts = Counter(words)
    return sorted((word for word in counts if counts[word] >= least), key=lambda word: (-counts[word], word))[:size]


def split(text: str, longest: int | None = None) -> list[str]:
    """Words and punctuation marks in lower case, at most ``longest`` of them."""
    found = (match.group() for match in _WORD.finditer(text.lower()))
    return [word for word, _ in zip(found, range(longest), strict=False)] if longest is not None else list(found)
