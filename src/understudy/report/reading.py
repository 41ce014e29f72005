"""Files that a report is made of, read with patience: an unknown number is None, a further key is passed over."""

import json
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from understudy.errors import DataError

_MOST_PROBLEMS = 3


class Part(BaseModel):
    """A part of such a file; a number in it is a finite one."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


_Whole = TypeVar("_Whole", bound=Part)


def read_as(model: type[_Whole], path: Path, *, what: str, maker: str) -> _Whole:
    """A file's content.

    Args:
        model: What it should hold.
        path: Where it lies.
        what: What it is called in a message: ``a scores file``.
        maker: What has left it there: ``recipe``.

    Raises:
        DataError: The file is missing or is not what it should be; the message names the first few mistakes.
    """
    try:
        return model.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); is the run finished?") from None
    except ValidationError as error:
        raise DataError(f"{path}: not {what} ({_problems(error)}); run the {maker} again") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not JSON ({error}); run the {maker} again") from None


def _problems(error: ValidationError) -> str:
    found = []
    for problem in error.errors(include_url=False):
        path = ".".join(map(str, problem["loc"]))
        said = problem["msg"].removeprefix("Value error, ")
        found.append(f"{path}: {said}" if path else said)
    more = len(found) - _MOST_PROBLEMS
    return "; ".join(found[:_MOST_PROBLEMS]) + (f"; and {more} more" if more > 0 else "")
