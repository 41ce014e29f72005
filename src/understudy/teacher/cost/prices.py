"""List prices of hosted models, so that a forecast needs no look at a price page; a recipe's own price goes first."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

import yaml

from understudy.teacher.cost.spending import Price


@dataclass(frozen=True, slots=True)
class ListPrice:
    """A price as a provider listed it.

    Attributes:
        price: The price.
        source: Where it stood, and when.
    """

    price: Price
    source: str


def list_price(model: str, base_url: str | None) -> ListPrice | None:
    """What a provider lists for a model; None where the endpoint is not that provider's, or the model not in the table.

    A dated name such as ``gpt-4.1-mini-2025-04-14`` costs what the name without its date does.
    """
    host = urlsplit(base_url or "").hostname
    for provider in _providers():
        names = [name for name in provider["models"] if _is_model(model, name)]
        if host == provider["host"] and names:
            read, written = provider["models"][names[0]]
            return ListPrice(Price(read, written), f"{provider['source']}, {provider['as_of']}")
    return None


def _is_model(model: str, name: str) -> bool:
    """Whether a model is the named one, perhaps of a certain day."""
    return model == name or model.startswith(f"{name}-20")


@functools.cache
def _providers() -> list[Mapping[str, Any]]:
    text = (resources.files("understudy.teacher.cost") / "prices.yaml").read_text(encoding="utf-8")
    return list(yaml.safe_load(text).values())
