"""Texts that hold next to no language, and generated ones that are not what was asked for.

The rules are few and mild, so that they find nothing in good texts. The phrases that they know are English.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from understudy.data.clean.rejection import reject
from understudy.data.load import folded
from understudy.example import Example

_WINDOW = 8
_BEGINNING = 8_000
"""Characters that repetition is looked for in: longer good texts, too, come to say what they have said before."""

_LONG = 300
"""Characters from which a text may have been cut off; shorter ones are often informal, and end as they like."""

_ABOUT_ITSELF = re.compile(
    r"\W*+((as|i'm|i am) (just )?an? ((large )?language model|(ai|artificial intelligence)"
    r"(,| (language )?(model|assistant)))"
    r"|((i'm |i am )?sorry|i apologi[sz]e|unfortunately)\W+(but )?i (can't|cannot|am unable to|am not able to)"
    r" (assist|help (you )?with|comply|fulfil|create|generate|write|produce)"
    r"|i (can't|cannot) (assist|help) with (that|this)"
    r"|(sure|certainly|of course|absolutely)\W+here( is| are|'s)\b"
    r"|here( is| are|'s) [^\n.]{0,80}:\s*(\n|$))",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]]*\s")


def reject_degenerate(examples: Iterable[Example]) -> Iterator[Example]:
    """Reject texts that repeat themselves or hold hardly a letter, and generated ones that are talk or cut off."""

    def reason(example: Example) -> str | None:
        found = _fault(example.text)
        return found or (_fault_of_generated(example.text) if example.source == "generated" else None)

    return reject(examples, reason)


def _fault(text: str) -> str | None:
    """What is wrong with a text, whoever wrote it."""
    if _letters(text) < 0.3:
        return "hardly a letter"
    if _most_frequent(text) > 0.5 or _new(text) < 0.5:
        return "repeats itself"
    return None


def _fault_of_generated(text: str) -> str | None:
    """What is wrong with a text that a language model wrote."""
    if _ABOUT_ITSELF.match(text.replace("’", "'")):
        return "not a text but about it"
    return "cut off" if _is_cut_off(text) else None


def _letters(text: str) -> float:
    """The share of letters among the characters other than white space."""
    letters = "".join(text.split())
    return sum(map(str.isalpha, letters)) / max(1, len(letters))


def _most_frequent(text: str) -> float:
    """The share of the most frequent character, white space aside; of one or two characters it says nothing."""
    letters = "".join(text.split())
    return Counter(letters).most_common(1)[0][1] / len(letters) if len(letters) > 2 else 0.0


def _new(text: str) -> float:
    """The share of the text's windows of some characters that are not a repetition of an earlier one."""
    start = folded(text[:_BEGINNING])
    windows = len(start) - _WINDOW + 1
    return len({start[i : i + _WINDOW] for i in range(windows)}) / windows if windows > 0 else 1.0


def _is_cut_off(text: str) -> bool:
    """Whether after some whole sentence the last one, of four words or more, breaks off at a word in lower case.

    A greeting, a name or a headline may end a text without a full stop.
    """
    rest = _SENTENCE_END.split(text.strip())
    words = rest[-1].split()
    breaks_off = len(words) > 3 and words[-1].islower() and words[-1][-1] not in ".!?…\"'”’»)]"
    return len(text) >= _LONG and len(rest) > 1 and breaks_off
