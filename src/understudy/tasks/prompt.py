"""Prompts: versioned files, rendered into chat messages, and the form of the reply that they ask for.

A released prompt is never edited; a better one is a new version, so that replies paid for under the old one stay
valid and results stay comparable.
"""

import functools
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any, Literal

import yaml
from jinja2 import StrictUndefined, Template
from jinja2.sandbox import SandboxedEnvironment

from understudy.errors import DataError, UnknownName
from understudy.registry import unknown
from understudy.tasks.reply import REASONING
from understudy.tasks.task import Message, ReplySchema
from understudy.words import quoted

# Not bool, as which pydantic would take a message that reads 1 or "yes".
PromptSetting = str | Mapping[str, str | Literal[True, False]]
"""A released prompt's name, such as ``classification.v2``, or the prompt itself: ``{"system": ..., "user": ...}``,
with ``"reasoning": True`` where the reply shall reason step by step before it answers."""

_ROLES = ("system", "user")
_GAP = r"[\s\u00ad\u200b-\u200f\u2060-\u2064\ufeff]*"  # spaces, and characters that nobody sees
_MARK = re.compile(rf"[<＜﹤]({_GAP}(?:/{_GAP})?{_GAP.join('text')}(?!\w))", re.IGNORECASE)
"""What could be taken for an end of the fence, or for its beginning."""


def released() -> list[str]:
    """The names of the prompts that come with Understudy."""
    folder = resources.files("understudy.tasks") / "prompts"
    return sorted(file.name.removesuffix(".yaml") for file in folder.iterdir() if file.name.endswith(".yaml"))


def render(prompt: PromptSetting, **values: Any) -> list[Message]:
    """The chat messages of a prompt with its places filled in.

    A value is data wherever it stands: braces in a text are not looked at again.

    Raises:
        UnknownName: No such prompt was released, or a message of one's own is for nobody.
        DataError: The prompt is not a valid template, or has no message for the user.
    """
    parts = _parts(prompt)
    try:
        return [Message(role=role, content=_template(parts[role]).render(**values)) for role in _ROLES if role in parts]
    except Exception as error:  # a template is a small program, and can fail in any way
        raise DataError(f"the prompt cannot be rendered: {error}; it may use {', '.join(values)}") from error


def reply_schema(prompt: PromptSetting, key: str, answer: Mapping[str, Any]) -> ReplySchema:
    """The schema of the reply that a prompt asks for: the answer under one key, after the reasoning where it wants any.

    Reasoning comes first, since a model that has written its answer down only defends it (Wei et al. 2022).

    Args:
        prompt: The prompt.
        key: The key of the answer, which is also the schema's name.
        answer: The schema of the answer.

    Raises:
        UnknownName: No such prompt was released, or it has a key that is unknown.
        DataError: The prompt has no message for the user.
    """
    reasoning = {REASONING: {"type": "string"}} if _parts(prompt).get("reasoning") else {}
    properties = {**reasoning, key: answer}
    return ReplySchema(
        key,
        {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False},
    )


def fenced(text: str) -> str:
    """The text between ``<text>`` and ``</text>``, whatever it holds itself: a mark in it opens with ``‹`` instead."""
    harmless = _MARK.sub(r"‹\1", text)
    return f"<text>\n{harmless}\n</text>"


def _parts(prompt: PromptSetting) -> Mapping[str, Any]:
    return _released(prompt) if isinstance(prompt, str) else _checked(prompt)


def _checked(prompt: Mapping[str, Any]) -> Mapping[str, Any]:
    """A prompt of one's own, once it is clear that nothing in it is misspelt and nothing is missing."""
    known = (*_ROLES, "reasoning")
    for key in prompt:
        if key not in known:
            raise UnknownName(f"prompt: {unknown('key', key, known)}")
    if "user" not in prompt:
        raise DataError("prompt: user is missing; expected a message with {{ text }} in it, and perhaps system")
    if not isinstance(prompt.get("reasoning", False), bool):
        raise DataError(f"prompt: reasoning is {quoted(prompt['reasoning'])}; expected true or false")
    return prompt


@functools.cache
def _released(name: str) -> dict[str, Any]:
    if name not in released():
        raise UnknownName(unknown("prompt", name, released()))
    text = (resources.files("understudy.tasks") / "prompts" / f"{name}.yaml").read_text(encoding="utf-8")
    parts: dict[str, Any] = yaml.safe_load(text)
    return parts


@functools.lru_cache(maxsize=64)
def _template(part: str) -> Template:
    environment = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=False, trim_blocks=True)
    environment.filters["fenced"] = fenced
    return environment.from_string(part)
