"""The one exception tree: everything that Understudy raises on purpose.

A message says what was found, what was expected and what to do about it. The command line prints these in one line
(or one line a problem) and exits with 2; any other exception is a bug of ours.
"""

from collections.abc import Iterable, Sequence


class UnderstudyError(Exception):
    """Something a user can put right: a recipe, a file, an endpoint, a missing extra."""


class RecipeError(UnderstudyError):
    """A recipe holds one or more mistakes; all are listed, each with its path.

    Attributes:
        problems: One line for each mistake, such as ``students.gbdt.round: unknown key; did you mean 'rounds'?``.
    """

    def __init__(self, source: str, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        listed = "".join(f"\n  {problem}" for problem in self.problems)
        count = f"{len(self.problems)} mistake{'s' if len(self.problems) != 1 else ''}"
        super().__init__(f"{source}: {count} in the recipe{listed}")


class DataError(UnderstudyError):
    """A data file is missing, broken, or does not hold what the recipe says it holds."""


class ParseError(UnderstudyError):
    """A teacher's reply is not an answer to the task; the reply is rejected, never guessed at."""


class TeacherError(UnderstudyError):
    """The teacher cannot be asked: no endpoint, no key, or an endpoint that keeps failing."""


class ModelError(UnderstudyError):
    """A model folder cannot be loaded, or pretrained weights cannot be had."""


class MissingExtra(UnderstudyError):
    """A part of Understudy needs packages that are not installed; the message names the extra."""


class UnknownName(UnderstudyError):
    """A student, task or mixture of that name does not exist; close names are suggested."""


class RunError(UnderstudyError):
    """A run folder cannot be used: it cannot be written to, is in use, or is not finished."""


class Problems(UnderstudyError):
    """Several things that a user can put right, found together."""


def several(problems: Sequence[UnderstudyError]) -> None:
    """Raise what was found: nothing, the one problem, or all of them in one error."""
    if len(problems) == 1:
        raise problems[0]
    if problems:
        raise Problems(f"{len(problems)} problems" + "".join(f"\n- {problem}" for problem in problems))
