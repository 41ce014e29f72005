"""What is put to the teacher and what came of it: a target, or the plain reason for having none. Nothing is guessed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from understudy.errors import ParseError
from understudy.example import is_whole
from understudy.teacher.cost.spending import Tokens, usage_tokens
from understudy.teacher.replies.store import Reply
from understudy.teacher.request import Body

T = TypeVar("T")

_QUOTED = 200
"""Characters of a refusal in a reason."""


@dataclass(frozen=True, slots=True)
class Question(Generic[T]):
    """One request, and how a reply to it is read.

    Attributes:
        body: The request.
        parse: From the raw text of a reply to what was asked for; raises ParseError where it is no answer.
    """

    body: Body
    parse: Callable[[str], T]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Generic[T]):
    """What came of a question: a target, or the reason for having none.

    Attributes:
        target: The parsed answer; None where it was rejected.
        rejected: Why there is no target, as a clause.
        unanswered: Whether a reply may still come: the teacher was asked in vain, and can be asked again.
        reply: The raw text of the last reply; None where none came.
        replies: How many replies it took: two where the first was no answer.
        tokens: As the endpoint counted them, over all replies; None where it did not.
        seconds: How long the replies took, where that is known.
        soft: The teacher's probabilities over labels, where it gave them.
        agreement: How far several votes agree, in [0, 1].
        choice: The last reply with all that came beside its text, such as log-probabilities.
        notes: Whatever else a person would want to see beside the target.
    """

    target: T | None = None
    rejected: str | None = None
    unanswered: bool = False
    reply: str | None = None
    replies: int = 0
    tokens: Tokens | None = None
    seconds: float | None = None
    soft: Mapping[str, float] | None = None
    agreement: float | None = None
    choice: Mapping[str, Any] = field(default_factory=dict, repr=False)
    notes: Mapping[str, Any] = field(default_factory=dict)

    def meta(self) -> dict[str, Any]:
        """What a person would want to see beside the target, without what is absent."""
        about = {
            "reply": self.reply,
            "rejected": self.rejected,
            "unanswered": self.unanswered or None,
            "replies": self.replies if self.replies > 1 else None,
            "usage": None if self.tokens is None else self.tokens.usage(),
            "seconds": self.seconds,
            "agreement": self.agreement,
            **self.notes,
        }
        return {name: value for name, value in about.items() if value is not None}

    def corrected_by(self, second: "Answer[T]") -> "Answer[T]":
        """The second answer, at the price of both."""
        said = self if second.reply is None else second
        return replace(
            second,
            reply=said.reply,
            choice=said.choice,
            rejected=None if second.rejected is None else f"{second.rejected} (asked twice)",
            replies=self.replies + second.replies,
            tokens=added(self.tokens, second.tokens),
            seconds=None if self.seconds is None or second.seconds is None else self.seconds + second.seconds,
        )


def read_answer(question: Question[T], reply: Reply) -> Answer[T]:
    """What was asked for in a reply to this question, or why it is not there."""
    if reply.completion is None:
        return Answer(rejected=reply.refused or "the endpoint refused the request", notes={"refused": True})
    choice = reply.completion["choices"][0]
    raw = _raw(choice["message"])
    answer: Answer[T] = Answer(
        reply=_printable(raw),
        replies=1,
        tokens=usage_tokens(reply.completion),
        seconds=reply.seconds,
        choice=choice,
    )
    reason = _flaw(choice, raw)
    if reason is not None:
        return replace(answer, rejected=reason)
    try:
        return replace(answer, target=question.parse(raw))
    except ParseError as error:
        return replace(answer, rejected=f"not an answer: {error}")


def replies_in(meta: Mapping[str, Any]) -> int:
    """How many replies a row took, by what stands beside it."""
    found = meta.get("replies", 1 if "reply" in meta else 0)
    return found if isinstance(found, int) else 1


def added(first: Tokens | None, second: Tokens | None) -> Tokens | None:
    """Two counts together, where there are two."""
    return first.plus(second) if first is not None and second is not None else first or second


def _raw(message: Mapping[str, Any]) -> str:
    for name in ("content", "refusal"):
        if isinstance(message.get(name), str) and message[name]:
            text: str = message[name]
            return text
    return ""


def _flaw(choice: Mapping[str, Any], raw: str) -> str | None:
    """What is wrong with a reply whatever the task; None where nothing is."""
    if isinstance(choice["message"].get("refusal"), str) and choice["message"]["refusal"]:
        return f"refused: {_printable(choice['message']['refusal'])[:_QUOTED]}"
    if choice.get("finish_reason") == "content_filter":
        return "refused by the endpoint's content filter"
    if choice.get("finish_reason") == "length":
        return "truncated at the endpoint's token limit"
    if not raw.strip():
        return "empty"
    if not is_whole(raw):
        return "not valid Unicode (it holds half a character)"
    return None


def _printable(text: str) -> str:
    """The text with halves of characters (lone surrogates) spelled out, so that any file can hold it."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
