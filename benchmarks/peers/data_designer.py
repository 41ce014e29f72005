"""NeMo Data Designer: one text column over the rows as its seed, all in one group; no health check, no telemetry."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.peers.contest import IN_FLIGHT, MODEL, Row, contend

# Read when the package is imported, below.
os.environ["NEMO_TELEMETRY_ENABLED"] = "false"

import data_designer.config as dd  # type: ignore[import-not-found]
from data_designer.interface import DataDesigner  # type: ignore[import-not-found]


def annotate(base_url: str, rows: Sequence[Row]) -> list[str]:
    """The label of each row."""
    with TemporaryDirectory() as folder:
        seed = Path(folder, "seed.jsonl")
        messages = ({message["role"]: message["content"] for message in row["messages"]} for row in rows)
        seed.write_text("".join(json.dumps(message) + "\n" for message in messages))
        provider = dd.ModelProvider(name="endpoint", endpoint=base_url, api_key="none")
        designer = DataDesigner(artifact_path=folder, model_providers=[provider])
        designer.set_run_config(dd.RunConfig(buffer_size=len(rows), otel_metrics_port=None))
        made = designer.create(_config(seed), num_records=len(rows)).load_dataset()
    return [json.loads(reply)["label"] for reply in made["reply"]]


def _config(seed: Path) -> Any:
    parallel = dd.ChatCompletionInferenceParams(max_parallel_requests=IN_FLIGHT)
    model = dd.ModelConfig(
        alias=MODEL, model=MODEL, provider="endpoint", inference_parameters=parallel, skip_health_check=True
    )
    config = dd.DataDesignerConfigBuilder(model_configs=[model])
    config.with_seed_dataset(dd.LocalFileSeedSource(path=str(seed)))
    config.add_column(
        dd.LLMTextColumnConfig(name="reply", model_alias=MODEL, system_prompt="{{ system }}", prompt="{{ user }}")
    )
    return config


if __name__ == "__main__":
    contend(annotate)
