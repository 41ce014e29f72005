"""distilabel: a pipeline of one step, without a cache.

A batch is asked for at once and waited for whole, so that two replicas of the step, each with half of the requests that
may be under way, are faster on two cores than one with all of them.
"""

import json
from collections.abc import Sequence
from typing import Any

from distilabel.models import OpenAILLM  # type: ignore[import-not-found]
from distilabel.pipeline import Pipeline  # type: ignore[import-not-found]
from distilabel.steps import StepResources  # type: ignore[import-not-found]
from distilabel.steps.tasks import ChatGeneration  # type: ignore[import-not-found]

from benchmarks.peers.contest import IN_FLIGHT, MODEL, Row, contend

_REPLICAS = 2


def annotate(base_url: str, rows: Sequence[Row]) -> list[str]:
    """The label of each row."""
    with Pipeline(name="throughput") as pipeline:
        ChatGeneration(
            llm=OpenAILLM(model=MODEL, base_url=base_url, api_key="none"),
            input_batch_size=IN_FLIGHT // _REPLICAS,
            resources=StepResources(replicas=_REPLICAS),
            add_raw_input=False,
            add_raw_output=False,
        )
    questions = [{"messages": row["messages"]} for row in rows]
    made: Any = pipeline.run(dataset=questions, dataset_batch_size=IN_FLIGHT, use_cache=False)
    return [json.loads(reply)["label"] for reply in made["default"]["train"]["generation"]]


if __name__ == "__main__":
    contend(annotate)
