"""Attributes of texts, proposed by the teacher (Yu et al. 2023): what real texts differ in, so that written ones do.

Plainly asked for many texts on a label, a model writes the same one over and over. Asked for a short, ironic one on a
certain subtopic, it cannot.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from understudy.errors import ParseError, TeacherError
from understudy.example import is_whole
from understudy.tasks.prompt import render, reply_schema
from understudy.tasks.reply import check_keys, read_object
from understudy.tasks.task import Message, Task, labels_of
from understudy.teacher.answer import Question, added
from understudy.teacher.cost.ledger import BudgetReached
from understudy.teacher.cost.spending import Tokens
from understudy.teacher.generation.design import Attribute
from understudy.teacher.interview import Interview
from understudy.teacher.request import request_body

SUBTOPIC = "subtopic"
"""The attribute that has values of its own for each label."""

_PROMPT = "propose-attributes.v1"
_VALUES_PROMPT = "propose-values.v1"
_FORM = '{"attributes": [{"name": ..., "values": [...]}]}'
_VALUES_FORM = '{"values": [...]}'
_LONGEST = 200
"""Characters of a name or value: it becomes a part of every request."""
_MOST = 100
"""Attributes in a reply, or values of one."""
_STRINGS = {"type": "array", "items": {"type": "string"}}

Values = Mapping[str, tuple[str, ...]]
"""The values of each attribute by its name."""


class Wish(NamedTuple):
    """What is to be proposed: values of one attribute, for one label perhaps; without a name, whole attributes."""

    name: str | None = None
    label: str | None = None


class Proposed(NamedTuple):
    """All attributes, and what it took to have them proposed.

    Attributes:
        attributes: Those given first.
        replies: How many replies they took.
        tokens: What these took; None where they do not tell.
    """

    attributes: list[Attribute]
    replies: int
    tokens: Tokens | None


class Proposals:
    """The attributes over which texts are spread: those given, and those that the teacher is asked for.

    Args:
        task: What the texts are for.
        model: The model's name at its endpoint.
        interview: Puts the questions.
        description: What the texts are like, in the user's words.
        given: Attributes with their values, or with None where the teacher shall propose these; None as a whole
            leaves everything to the teacher, with subtopics of every label.
    """

    def __init__(
        self,
        *,
        task: Task,
        model: str,
        interview: Interview,
        description: str = "",
        given: Mapping[str, Sequence[str] | None] | None = None,
    ) -> None:
        self.task = task
        self.model = model
        self.interview = interview
        self.description = description
        self.given = given

    def questions(self) -> Iterator[tuple[Wish, list[Question[Values]]]]:
        """What is asked: nothing, where all attributes are given."""
        for wish in self._wishes():
            yield wish, [self._attributes_question() if wish.name is None else self._values_question(wish)]

    def known(self) -> list[Attribute]:
        """The attributes that are given with their values."""
        given = (self.given or {}).items()
        return [Attribute(name, tuple(values)) for name, values in given if values is not None]

    def find(self) -> Proposed:
        """All attributes, asked for where they are not known.

        Raises:
            BudgetReached: The budget did not suffice to ask for all of them.
            TeacherError: The teacher cannot be asked, or proposed nothing that can be used.
        """
        found = {attribute.name: attribute for attribute in self.known()}
        replies, tokens = 0, None
        for wish, [answer] in self.interview.answers(self.questions()):
            replies, tokens = replies + answer.replies, added(tokens, answer.tokens)
            if answer.target is None and self.interview.budget_reached is not None:
                raise BudgetReached(self.interview.budget_reached)
            if answer.target is None:
                again = "run again" if answer.unanswered else "say more in generate.description"
                raise TeacherError(
                    f"the teacher proposed no {_shown(wish)} that can be used ({answer.rejected}); "
                    f"{again}, or give them in the recipe under generate.attributes"
                )
            for name, values in answer.target.items():
                found[name] = _joined(found.get(name, Attribute(name)), wish.label, values)
        return Proposed(list(found.values()), replies, tokens)

    def _wishes(self) -> Iterator[Wish]:
        if self.given is None:
            yield Wish()
        missing = [SUBTOPIC] if self.given is None else [name for name, values in self.given.items() if values is None]
        for name in missing:
            labels = labels_of(self.task) if name == SUBTOPIC else {}
            for label in labels or [None]:
                yield Wish(name, label)

    def _attributes_question(self) -> Question[Values]:
        item = {
            "type": "object",
            "properties": {"name": {"type": "string"}, "values": _STRINGS},
            "required": ["name", "values"],
            "additionalProperties": False,
        }
        messages = render(_PROMPT, description=self.description, labels=labels_of(self.task))
        return Question(self._body(messages, _PROMPT, "attributes", {"type": "array", "items": item}), parse_attributes)

    def _values_question(self, wish: Wish) -> Question[Values]:
        assert wish.name is not None, "a wish for values names the attribute"
        messages = render(
            _VALUES_PROMPT,
            description=self.description,
            labels=labels_of(self.task),
            attribute=wish.name,
            label=wish.label,
        )
        return Question(self._body(messages, _VALUES_PROMPT, "values", _STRINGS), partial(parse_values, wish.name))

    def _body(self, messages: Sequence[Message], prompt: str, key: str, answer: Mapping[str, Any]) -> dict[str, Any]:
        return request_body(self.model, messages, reply_schema(prompt, key, answer))


def parse_attributes(reply: str) -> Values:
    """The attributes in a reply such as ``{"attributes": [{"name": "length", "values": ["short", "long"]}]}``.

    Raises:
        ParseError: The reply is not such an object; an attribute stands twice; or a name or value is empty, too long
            or more than a line.
    """
    entries = read_object(reply, ["attributes"], _FORM)["attributes"]
    if not isinstance(entries, list) or not 0 < len(entries) <= _MOST:
        raise ParseError(f"the attributes are no list, or none at all, or over {_MOST}; expected {_FORM}")
    found: dict[str, tuple[str, ...]] = {}
    for entry in entries:
        if not isinstance(entry, dict):
            raise ParseError(f"an attribute is no object; expected {_FORM}")
        check_keys(entry, ["name", "values"])
        name = _phrase(entry["name"])
        if name in found:
            raise ParseError(f"the attribute {name!r} stands twice; expected each once")
        found[name] = _phrases(entry["values"])
    return found


def parse_values(name: str, reply: str) -> Values:
    """The values of an attribute in a reply such as ``{"values": ["short", "long"]}``.

    Raises:
        ParseError: The reply is not such an object, or a value is empty, too long, more than a line, or stands twice.
    """
    return {name: _phrases(read_object(reply, ["values"], _VALUES_FORM)["values"])}


def _phrases(values: Any) -> tuple[str, ...]:
    if not isinstance(values, list) or not 0 < len(values) <= _MOST:
        raise ParseError(f"the values are no list, or none at all, or over {_MOST}; expected a list of short phrases")
    found = tuple(_phrase(value) for value in values)
    if len({value.casefold() for value in found}) < len(found):
        raise ParseError("a value stands twice; expected each once")
    return found


def _phrase(value: Any) -> str:
    """A name or value as one line of text."""
    if not isinstance(value, str) or not value.strip():
        raise ParseError("a name or value is empty or no text; expected a short phrase")
    if len(value) > _LONGEST or len(value.splitlines()) > 1 or not is_whole(value):
        raise ParseError(f"{value[:50]!r} is over {_LONGEST} characters or more than a line; expected a short phrase")
    return value.strip()


def _joined(attribute: Attribute, label: str | None, values: tuple[str, ...]) -> Attribute:
    """The attribute with further values: of a label, or of all."""
    if label is None:
        return replace(attribute, values=values)
    return replace(attribute, by_label={**attribute.by_label, label: values})


def _shown(wish: Wish) -> str:
    if wish.name is None:
        return "attributes"
    return f"values of {wish.name!r}" + ("" if wish.label is None else f" for {wish.label!r}")
