"""The recipe: what is taught, to whom, from which data."""

from understudy.recipe.recipe import Recipe
from understudy.recipe.sections import StudentSpec, TaskSpec

__all__ = ["Recipe", "StudentSpec", "TaskSpec"]
