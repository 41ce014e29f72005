"""Few-shot examples: human-labelled texts that are shown to the teacher with their answers (Brown et al. 2020)."""

import random
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice, pairwise, zip_longest
from typing import TYPE_CHECKING, Protocol

from understudy.data.load import text_key
from understudy.example import Example, Target
from understudy.tasks.reply import REASONING
from understudy.tasks.task import Message, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Embed = Callable[[Sequence[str]], NDArray[np.float32]]

_AT_ONCE = 256
"""Texts that are got ready together."""
_KEPT = 2**14
"""Texts whose examples are remembered: more than are under way at a time."""
_HEADING = "Examples of right answers (shown without the reasoning):"


class Shots(Protocol):
    """What chooses the examples to show with each text."""

    def prepare(self, texts: Sequence[str]) -> None:
        """Get ready for these texts together, which may be far cheaper than one by one; never necessary."""

    def for_text(self, text: str) -> Sequence[Example]:
        """The examples to show with a text, the most telling last; there may be none."""


class FixedShots:
    """The same examples for every text, as unlike each other as can be.

    Where targets repeat, as labels do, each in turn gives an example; where they do not, the examples are spread over
    short and long texts.

    Args:
        gold: Human-labelled examples.
        count: How many to show, at least one.
        seed: Decides which of those that are alike are taken.
    """

    def __init__(self, gold: Sequence[Example], count: int, seed: int = 0) -> None:
        usable = _usable(gold)
        groups = _by_target(usable)
        if 2 * len(groups) > len(usable):
            groups = _by_length(usable, count)
        draw = random.Random(seed)  # noqa: S311 - a choice that can be made again, not a secret
        for group in groups:
            draw.shuffle(group)
        draw.shuffle(groups)
        self._chosen = list(islice(_in_turn(groups), count))

    def prepare(self, texts: Sequence[str]) -> None:
        """Nothing is to be done."""

    def for_text(self, text: str) -> Sequence[Example]:
        """The examples, without the text itself where it is one of them."""
        return [shot for shot in self._chosen if text_key(shot.text) != text_key(text)]


class NearestShots:
    """For each text the examples most like it, which teach more than any others (Liu et al. 2022).

    Args:
        gold: Human-labelled examples; one row of numbers is held for each.
        count: How many to show, at least one.
        embed: From texts to unit vectors, shape (texts, size), near each other where texts mean alike.
    """

    def __init__(self, gold: Sequence[Example], count: int, embed: "Embed") -> None:
        self._gold = _usable(gold)
        self._count = count
        self._embed = embed
        self._keys = [text_key(example.text) for example in self._gold]
        self._nearest: dict[str, list[int]] = {}
        self._lock = threading.Lock()

    def prepare(self, texts: Sequence[str]) -> None:
        """Find the examples for these texts, embedding them together; the latest are remembered."""
        new = list(dict.fromkeys(text for text in texts if text not in self._nearest))
        if new and self._gold:
            self._remember(
                {text: self._search(text, vector) for text, vector in zip(new, self._embed(new), strict=True)}
            )

    def for_text(self, text: str) -> Sequence[Example]:
        """The nearest examples, the nearest of all last, and never the text itself."""
        places = self._nearest.get(text)
        if places is None:
            places = self._search(text, self._embed([text])[0]) if self._gold else []
            self._remember({text: places})
        return [self._gold[place] for place in places]

    @cached_property
    def _vectors(self) -> "NDArray[np.float32]":
        return self._embed([example.text for example in self._gold])

    def _search(self, text: str, vector: "NDArray[np.float32]") -> list[int]:
        """Where in gold the nearest examples stand, the nearest last."""
        import numpy as np

        nearest = np.argsort(self._vectors @ vector, kind="stable")[-self._count - 1 :]
        others = [int(place) for place in nearest if self._keys[place] != text_key(text)]
        return others[max(len(others) - self._count, 0) :]

    def _remember(self, found: Mapping[str, list[int]]) -> None:
        with self._lock:
            self._nearest.update(found)
            for text in list(islice(self._nearest, max(len(self._nearest) - _KEPT, 0))):
                del self._nearest[text]


def prepared(examples: Iterable[Example], shots: Shots) -> Iterator[Example]:
    """The same examples one at a time, taken up some hundred ahead so that their shots are found together."""
    rows = iter(examples)
    while batch := list(islice(rows, _AT_ONCE)):
        shots.prepare([example.text for example in batch])
        yield from batch


def with_shots(messages: Sequence[Message], shots: Sequence[Example], task: Task) -> list[Message]:
    """The messages that ask for one text, with examples before it, each as if it had been asked and rightly answered.

    An answer that is to be reasoned out cannot be shown as a reply, since gold has no reasoning, and a reply without
    would teach to leave it out; there the examples are listed in the system message.
    """
    if not shots:
        return list(messages)
    pairs = [(task.messages(shot.text)[-1], _right_answer(shot, task)) for shot in shots]
    if REASONING in task.reply_schema.schema["properties"]:
        return _listed(messages, [f"{asked['content']}\n{answer}" for asked, answer in pairs])
    shown = [part for asked, answer in pairs for part in (asked, Message(role="assistant", content=answer))]
    return [*messages[:-1], *shown, messages[-1]]


def _listed(messages: Sequence[Message], examples: Sequence[str]) -> list[Message]:
    """The messages with the examples at the end of the system message, or as one where there is none."""
    *before, question = messages
    instructions = [message["content"] for message in before]
    return [Message(role="system", content="\n\n".join([*instructions, _HEADING, *examples])), question]


def _right_answer(shot: Example, task: Task) -> str:
    assert shot.target is not None, "gold examples have targets"
    return task.render(shot.target, shot.text)


def _usable(gold: Iterable[Example]) -> list[Example]:
    """Gold with each text once."""
    return list({text_key(example.text): example for example in gold if example.target is not None}.values())


def _by_target(examples: Iterable[Example]) -> list[list[Example]]:
    groups: dict[Target | None, list[Example]] = {}
    for example in examples:
        groups.setdefault(example.target, []).append(example)
    return list(groups.values())


def _by_length(examples: Iterable[Example], count: int) -> list[list[Example]]:
    """As many groups as wanted of (almost) the same size, from the shortest texts to the longest."""
    ordered = sorted(examples, key=lambda example: len(example.text))
    bounds = [len(ordered) * place // count for place in range(count + 1)]
    return [ordered[start:end] for start, end in pairwise(bounds)]


def _in_turn(groups: Iterable[Sequence[Example]]) -> Iterator[Example]:
    """One of each group, then another of each, until all are taken."""
    return (example for turn in zip_longest(*groups) for example in turn if example is not None)
