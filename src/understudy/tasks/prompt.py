"""Prompts: versioned files, rendered into chat messages.

A released prompt is never edited; a better one is a new version, so that replies paid for under the old one stay
valid and results stay comparable.
"""

import functools
from collections.abc import Mapping
from importlib import resources
from typing import Any

import yaml
from jinja2 import StrictUndefined, Template
from jinja2.sandbox import SandboxedEnvironment

from understudy.errors import DataError, UnknownName
from understudy.registry import unknown
from understudy.tasks.task import Message

PromptSetting = str | Mapping[str, str]
"""A released prompt's name, such as ``classification.v1``, or the prompt itself: ``{"system": ..., "user": ...}``."""

_ROLES = ("system", "user")


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
    parts = _released(prompt) if isinstance(prompt, str) else _checked(prompt)
    try:
        return [Message(role=role, content=_template(part).render(**values)) for role, part in parts.items()]
    except Exception as error:  # a template is a small program, and can fail in any way
        raise DataError(f"the prompt cannot be rendered: {error}; it may use {', '.join(values)}") from error


def _checked(prompt: Mapping[str, str]) -> Mapping[str, str]:
    """A prompt of one's own, once it is clear that nothing in it is misspelt and nothing is missing."""
    for role in prompt:
        if role not in _ROLES:
            raise UnknownName(f"prompt: {unknown('key', role, _ROLES)}")
    if "user" not in prompt:
        raise DataError("prompt: user is missing; expected a message with {{ text }} in it, and perhaps system")
    return prompt


@functools.cache
def _released(name: str) -> dict[str, str]:
    if name not in released():
        raise UnknownName(unknown("prompt", name, released()))
    text = (resources.files("understudy.tasks") / "prompts" / f"{name}.yaml").read_text(encoding="utf-8")
    parts: dict[str, str] = yaml.safe_load(text)
    return parts


@functools.lru_cache(maxsize=64)
def _template(part: str) -> Template:
    environment = SandboxedEnvironment(undefined=StrictUndefined, keep_trailing_newline=False, trim_blocks=True)
    return environment.from_string(part)
