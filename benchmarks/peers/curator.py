"""bespokelabs-curator: its OpenAI backend, in the fastest form that it has.

Plain text rather than a response format (which it would check with pydantic), no cache, no telemetry, no rich display,
and limits that never bind. It counts tokens with a tokenizer that it would fetch from the internet; four characters to
a token stand in for it, which costs less.
"""

import json
import os
from collections.abc import Sequence
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.peers.contest import IN_FLIGHT, MODEL, Row, contend

# Read when the package is imported, below.
os.environ |= {"TELEMETRY_ENABLED": "false", "CURATOR_DISABLE_CACHE": "true", "CURATOR_DISABLE_RICH_DISPLAY": "1"}
os.environ |= {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "OPENAI_API_KEY": "none"}

from bespokelabs import curator  # type: ignore[import-not-found]
from bespokelabs.curator.request_processor.online import (  # type: ignore[import-not-found]
    openai_online_request_processor as openai_backend,
)

_NO_LIMIT = 10**9


class _Estimate:
    """Stands in for the tokenizer: as many tokens as there are fours of characters."""

    def encode(self, text: str, **_: Any) -> range:
        return range(len(text) // 4)


class _Annotator(curator.LLM):  # type: ignore[misc]
    def prompt(self, row: Row) -> Any:
        return row["messages"]

    def parse(self, row: Row, response: str) -> dict[str, str]:
        return {"label": json.loads(response)["label"]}


def annotate(base_url: str, rows: Sequence[Row]) -> list[str]:
    """The label of each row."""
    openai_backend.tiktoken.get_encoding = lambda name: _Estimate()
    limits = {
        "base_url": base_url,
        "max_concurrent_requests": IN_FLIGHT,
        "max_requests_per_minute": _NO_LIMIT,
        "max_tokens_per_minute": _NO_LIMIT,
    }
    annotator = _Annotator(model_name=MODEL, backend="openai", backend_params=limits)
    with TemporaryDirectory() as folder:
        return list(annotator(list(rows), working_dir=folder).dataset["label"])


if __name__ == "__main__":
    contend(annotate)
