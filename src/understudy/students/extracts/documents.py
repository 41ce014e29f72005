"""Documents as lists of sentences: what an extract is chosen from."""

from understudy.example import whole
from understudy.segments import sentences, words

_LONGEST = 100
"""Words in a sentence; one that is longer is cut, so that an extract of a text without full stops is one too."""
_MOST = 500
"""Sentences that are looked at of a document; what is left out of a longer one is its end."""


def document(text: str) -> list[str]:
    """The sentences of a text, in its order; none where there is no word.

    None holds half a character: as a summary, it would be no text that can be written.
    """
    text = whole(text)
    parts: list[str] = []
    for start, end in sentences(text):
        parts += _pieces(text[start:end])
        if len(parts) >= _MOST:
            break
    return parts[:_MOST]


def is_extract(summary: str, text: str) -> bool:
    """Whether a text is made of sentences of another, whatever white space stands in and between them."""
    own, theirs = ({" ".join(sentence.split()) for sentence in document(each)} for each in (summary, text))
    return own <= theirs


def spoken(sentence: str) -> list[str]:
    """The words and marks of a sentence, in lower case."""
    lower = sentence.lower()
    return [lower[start:end] for start, end in words(lower)]


def _pieces(sentence: str) -> list[str]:
    """A sentence, cut where it is too long."""
    found = words(sentence)
    if len(found) <= _LONGEST:
        return [sentence]
    runs = [found[first : first + _LONGEST] for first in range(0, len(found), _LONGEST)]
    return [sentence[run[0][0] : run[-1][1]] for run in runs]
