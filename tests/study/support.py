"""What tests of studies share: a small study over a slice of the newswire."""

from pathlib import Path
from typing import Any

import yaml

from tests.newswire import write_slice


def write_study(folder: Path, recipe: dict[str, Any] | None = None, **changed: Any) -> Path:
    """A recipe over a slice of the newswire and a study of it; None removes a key."""
    write_slice(folder, per_desk=2, pool=24, **(recipe or {}))
    study: dict[str, Any] = {
        "name": "small-study",
        "recipe": "recipe.yaml",
        "mixtures": ["gold", "distilled", "union"],
        "seeds": 2,
        **changed,
    }
    path = folder / "study.yaml"
    kept = {name: value for name, value in study.items() if value is not None}
    path.write_text(yaml.safe_dump(kept, sort_keys=False), encoding="utf-8")
    return path
