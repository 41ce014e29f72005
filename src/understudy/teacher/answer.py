"""From a reply to an answer: the target in it, or the plain reason why there is none. Nothing is guessed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from understudy.errors import ParseError
from understudy.example import Target, is_whole
from understudy.tasks.task import Task
from understudy.teacher.replies import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of asking the teacher for one text: a target, or the reason for having none.

    Attributes:
        target: The parsed answer; None where it was rejected.
        rejected: Why there is no target, as a clause.
        unanswered: Whether a reply may still come: the endpoint was asked in vain, and can be asked again.
        reply: The raw text of the last reply; None where none came.
        usage: Tokens as the endpoint counted them, over all replies: ``prompt_tokens`` and ``completion_tokens``.
        seconds: How long the replies took, where that is known.
    """

    target: Target | None = None
    rejected: str | None = None
    unanswered: bool = False
    reply: str | None = None
    usage: Mapping[str, int] | None = None
    seconds: float | None = None

    def meta(self) -> dict[str, Any]:
        """What a person would want to see beside the target, without what is absent."""
        about = {
            "reply": self.reply,
            "rejected": self.rejected,
            "unanswered": self.unanswered or None,
            "usage": self.usage,
            "seconds": self.seconds,
        }
        return {name: value for name, value in about.items() if value is not None}

    def corrected_by(self, second: "Answer") -> "Answer":
        """The second answer, at the price of both."""
        return replace(
            second,
            rejected=None if second.rejected is None else f"{second.rejected} (asked twice)",
            usage=_sum_usage(self.usage, second.usage),
            seconds=None if self.seconds is None or second.seconds is None else self.seconds + second.seconds,
        )


def read_answer(task: Task, text: str, reply: Reply) -> Answer:
    """The task's target in a reply to this text, or why there is none."""
    choice = reply.completion["choices"][0]
    raw = _raw(choice["message"])
    answer = Answer(reply=_printable(raw), usage=_usage(reply.completion), seconds=reply.seconds)
    reason = _flaw(choice, raw)
    if reason is not None:
        return replace(answer, rejected=reason)
    try:
        return replace(answer, target=task.parse(raw, text))
    except ParseError as error:
        return replace(answer, rejected=f"not an answer: {error}")


def _raw(message: Mapping[str, Any]) -> str:
    for field in ("content", "refusal"):
        if isinstance(message.get(field), str) and message[field]:
            text: str = message[field]
            return text
    return ""


def _flaw(choice: Mapping[str, Any], raw: str) -> str | None:
    """What is wrong with a reply whatever the task; None where nothing is."""
    if isinstance(choice["message"].get("refusal"), str) and choice["message"]["refusal"]:
        return f"refused: {_printable(choice['message']['refusal'])[:200]}"
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


def _usage(completion: Mapping[str, Any]) -> dict[str, int] | None:
    usage = completion.get("usage")
    if not isinstance(usage, dict):
        return None
    names = ("prompt_tokens", "completion_tokens")
    counted = {name: usage[name] for name in names if type(usage.get(name)) is int and usage[name] >= 0}
    return counted or None


def _sum_usage(first: Mapping[str, int] | None, second: Mapping[str, int] | None) -> Mapping[str, int] | None:
    if first is None or second is None:
        return first or second
    return {name: first.get(name, 0) + second.get(name, 0) for name in {**first, **second}}
