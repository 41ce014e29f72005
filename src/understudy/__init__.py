"""Understudy trains a small model to stand in for a large one.

import understudy as us

run = us.run("recipe.yaml")            # teach, train, compare, report
student = run.student()                # the chosen one; or us.load("path/to/a/model/folder")
student.predict(["The striker scored twice."])
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from understudy.errors import UnderstudyError
    from understudy.example import Example, Prediction, Span
    from understudy.pipeline import Run, break_even, check, choose, finished, run
    from understudy.recipe import Recipe
    from understudy.stages.plan import Plan
    from understudy.students.student import load

__all__ = [
    "Example",
    "Plan",
    "Prediction",
    "Recipe",
    "Run",
    "Span",
    "UnderstudyError",
    "break_even",
    "check",
    "choose",
    "finished",
    "load",
    "run",
]

_HOME = {
    "Example": "example",
    "Plan": "stages.plan",
    "Prediction": "example",
    "Recipe": "recipe",
    "Run": "pipeline",
    "Span": "example",
    "UnderstudyError": "errors",
    "break_even": "pipeline",
    "check": "pipeline",
    "choose": "pipeline",
    "finished": "pipeline",
    "load": "students.student",
    "run": "pipeline",
}


def __getattr__(name: str) -> Any:
    """Public names are imported when they are first used, so that `import understudy` is instant."""
    if name not in _HOME:
        raise AttributeError(f"module 'understudy' has no attribute {name!r}")
    return getattr(importlib.import_module(f"understudy.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
