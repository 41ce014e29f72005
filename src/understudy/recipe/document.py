"""The recipe as a document: YAML in which nothing is lost silently and nothing can grow without bound."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from understudy.errors import RecipeError


class _UniqueKeyLoader(yaml.SafeLoader):
    """YAML in which a key that stands twice is a mistake instead of a silent loss."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key_node, _ in node.value:
            mark = key_node.start_mark
            if key_node.tag == "tag:yaml.org,2002:merge":  # a few lines of them could grow without bound
                raise yaml.MarkedYAMLError(problem="<< is not known here; write the keys out", problem_mark=mark)
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable):  # any other is refused below
                if key in seen:
                    raise yaml.MarkedYAMLError(problem=f"the key {key!r} stands twice", problem_mark=mark)
                seen.add(key)
        return super().construct_mapping(node, deep)


def read_document(path: Path) -> dict[str, Any]:
    """The mapping in a recipe file.

    Raises:
        RecipeError: It cannot be read, is not YAML, or is no mapping; the line is named.
    """
    try:
        written = yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeyLoader)  # noqa: S506 - a safe loader
    except OSError as error:
        raise RecipeError(str(path), [f"cannot be read ({error.strerror})"]) from None
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise RecipeError(str(path), [f"{line}not valid YAML: {error.problem}"]) from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, TypeError, ValueError) as error:
        raise RecipeError(str(path), [f"not valid YAML: {' '.join(str(error).split())}"]) from None
    if not isinstance(written, dict):
        raise RecipeError(str(path), ["not a recipe: expected keys such as name, task, data, teacher, students"])
    return written
