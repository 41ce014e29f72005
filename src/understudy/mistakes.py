"""What is wrong with values that a person has written: one line a mistake, with its path, and all of them at once."""

import difflib
import inspect
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

Model = TypeVar("Model", bound=BaseModel)

_EXPECTED = {
    "string_type": "expected text",
    "path_type": "expected a path",
    "int_type": "expected a whole number",
    "int_parsing": "expected a whole number",
    "int_from_float": "expected a whole number",
    "float_type": "expected a number",
    "float_parsing": "expected a number",
    "list_type": "expected a list",
    "dict_type": "expected a mapping (key: value)",
    "model_type": "expected a mapping (key: value)",
    "dataclass_type": "expected a mapping (key: value)",
}
"""Pydantic's kinds of mistakes in a recipe writer's words; the others keep pydantic's own."""


def validated(
    model: type[Model], value: Any, path: str, problems: list[str], context: Mapping[str, Any] | None = None
) -> Model | None:
    """The value as this model; where it is none, its mistakes are added to the problems.

    Args:
        model: What the value should be.
        value: What was written.
        path: Where it stands, such as ``students.gbdt``; empty for the whole.
        problems: One line is added for each mistake.
        context: What the types of the model's fields may want to know of where the value comes from.
    """
    try:
        return model.model_validate(value, context=context)
    except ValidationError as error:
        found: dict[tuple[str, ...], str] = {}
        for mistake in error.errors(include_url=False):
            found.setdefault(_place(value, mistake), _line(model, mistake))
        # What fits none of several types has a mistake for each: what lies deeper says more.
        inner = {place[:depth] for place in found for depth in range(len(place))}
        for place, line in found.items():
            if place not in inner:
                problems.append(f"{'.'.join([*filter(None, [path]), *place])}: {line}")
        return None


def _place(value: Any, mistake: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys that lead to a mistake; pydantic's own marks between them (of unions, of keys) are left out."""
    place = []
    for part in mistake["loc"]:
        if part in value if isinstance(value, Mapping) else isinstance(value, list) and isinstance(part, int):
            value = value[part]
            place.append(str(part))
    return (*place, str(mistake["loc"][-1])) if mistake["type"] == "missing" else tuple(place)


def _line(model: type[BaseModel], mistake: Mapping[str, Any]) -> str:
    """What was expected, and what was found."""
    kind, found = mistake["type"], mistake["input"]
    if kind in {"extra_forbidden", "unexpected_keyword_argument"}:
        known = _fields(model, mistake["loc"][:-1])
        close = difflib.get_close_matches(str(mistake["loc"][-1]), known, n=1)
        return f"unknown key; did you mean {close[0]!r}?" if close else f"unknown key; expected: {', '.join(known)}"
    if kind == "missing":
        return "missing"
    message = _EXPECTED.get(kind) or mistake["msg"][0].lower() + mistake["msg"][1:]
    if not isinstance(found, str | int | float | None):
        return message
    quotes = "; put it in quotes" if kind == "string_type" and found is not None else ""
    return f"{message} (found {found!r}{quotes})"


def _fields(model: Any, location: Iterable[Any]) -> list[str]:
    """The keys that a part of a model knows."""
    for part in location:
        field = getattr(model, "model_fields", {}).get(part)
        options = [] if field is None else [field.annotation, *getattr(field.annotation, "__args__", ())]
        model = next((option for option in options if inspect.isclass(option) and option is not type(None)), model)
    return list(getattr(model, "model_fields", None) or getattr(model, "__dataclass_fields__", {}))
