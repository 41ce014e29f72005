"""Names in recipes and model folders, and the classes behind them.

Students and tasks are *components*: classes whose keyword-only constructor arguments are their settings, each kept as
an attribute of the same name, with no work done in the constructor. From the signature alone come the recipe's
validation, the fingerprint of a run and the settings saved with a model. A name is looked up here and nowhere else,
so that a hostile recipe or model folder cannot name code to be imported.
"""

import difflib
import importlib
import inspect
from collections.abc import Iterable, Mapping
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, get_type_hints

from understudy.errors import UnknownName

if TYPE_CHECKING:
    from pydantic import BaseModel

TASKS = {
    "classification": "understudy.tasks.classification:Classification",
    "ner": "understudy.tasks.ner:NER",
    "summarization": "understudy.tasks.summarization:Summarization",
    "text2text": "understudy.tasks.text2text:TextToText",
}
STUDENTS = {
    "lead": "understudy.students.lead:Lead",
    "linear": "understudy.students.linear:Linear",
    "gbdt": "understudy.students.gbdt:GBDT",
    "lstm": "understudy.students.lstm:LSTM",
    "encoder": "understudy.students.encoder:Encoder",
    "t5": "understudy.students.t5:T5",
    "bart": "understudy.students.bart:BART",
}
MIXTURES = {
    "gold": "understudy.training.shares:gold",
    "distilled": "understudy.training.shares:distilled",
    "union": "understudy.training.shares:union",
    "simple_mix": "understudy.training.shares:simple_mix",
    "reversed": "understudy.training.shares:reversed_mix",
    "linear": "understudy.training.shares:linear",
    "cosine": "understudy.training.shares:cosine",
    "sigmoid": "understudy.training.shares:sigmoid",
    "power": "understudy.training.shares:power",
    "weighted": "understudy.training.checked:weighted",
    "needle": "understudy.training.checked:needle",
}
_KINDS = {"task": TASKS, "student": STUDENTS, "mixture": MIXTURES}
_SHOWN = 100
"""A name in a message is cut here: a teacher's reply can be one long wrong label."""


def names(kind: str) -> list[str]:
    """The names of one kind (``"task"``, ``"student"`` or ``"mixture"``): ours, then those of installed plug-ins."""
    return [*_KINDS[kind], *sorted(set(_plugins(kind)) - set(_KINDS[kind]))]


def find(kind: str, name: str) -> Any:
    """The class or function behind a name; plug-ins are found by the entry-point group ``understudy.<kind>s``.

    Raises:
        UnknownName: Nothing of that kind has that name.
    """
    known = _KINDS[kind]
    if name in known:
        module, _, attribute = known[name].partition(":")
        return getattr(importlib.import_module(module), attribute)
    plugins = _plugins(kind)
    if name in plugins:
        return plugins[name].load()
    raise UnknownName(unknown(kind, name, names(kind)))


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """One line for a name that does not exist: what was found, the closest name, or else all of them."""
    known, name = list(known), str(name)[:_SHOWN]
    close = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"expected one of: {', '.join(known)}"
    return f"unknown {kind} {name!r}; {hint}"


def settings(component: object) -> dict[str, Any]:
    """A component's constructor arguments, by name, as it was built with them."""
    return {name: getattr(component, name) for name in inspect.signature(type(component)).parameters}


def signature(kind: str, name: str) -> "type[BaseModel]":
    """The settings of the component of that name as a pydantic model, which checks those that come from a file.

    Raises:
        UnknownName: Nothing of that kind has that name.
    """
    from pydantic import ConfigDict, create_model

    component = find(kind, name)
    hints = get_type_hints(component.__init__, include_extras=True)
    fields: dict[str, Any] = {
        parameter.name: (hints[parameter.name], ... if parameter.default is parameter.empty else parameter.default)
        for parameter in inspect.signature(component).parameters.values()
    }
    return create_model(name, __config__=ConfigDict(extra="forbid", protected_namespaces=()), **fields)


def build(kind: str, name: str, arguments: Mapping[str, Any]) -> Any:
    """Construct the component of that name with those settings.

    Raises:
        UnknownName: The name or one of the settings does not exist.
    """
    component = find(kind, name)
    accepted = inspect.signature(component).parameters
    for argument in arguments:
        if argument not in accepted:
            raise UnknownName(f"{kind} {name!r}: {unknown('setting', argument, accepted)}")
    return component(**arguments)


def _plugins(kind: str) -> dict[str, Any]:
    return {point.name: point for point in entry_points(group=f"understudy.{kind}s")}
