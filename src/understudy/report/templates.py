"""The templates of the pages, and how they are filled in: one file each, which loads nothing from anywhere."""

import functools
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from understudy import words
from understudy.data.files import replacing


def write_page(page: Path, template: str, values: Mapping[str, Any]) -> None:
    """Write a page, whole or not at all.

    Args:
        page: Where to.
        template: Its template's file, in this package.
        values: What it shows; escaped, whatever it holds.
    """
    with replacing(page) as out:
        out.writelines(_environment().get_template(template).generate(values))


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("understudy", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (resources.files("understudy.report") / "style.css").read_text(encoding="utf-8")
    environment.globals["style"] = Markup(style)  # noqa: S704  our own style sheet
    environment.globals["words"] = words
    return environment
