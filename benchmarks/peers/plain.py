"""aiohttp and nothing else: what this machine can do at most. Nothing is kept, retried or checked."""

import asyncio
import json
from collections.abc import Sequence

import aiohttp

from benchmarks.peers.contest import IN_FLIGHT, MODEL, Row, contend


def annotate(base_url: str, rows: Sequence[Row]) -> list[str]:
    """The label of each row, all asked for at once behind a semaphore."""
    return asyncio.run(_annotate(base_url, rows))


async def _annotate(base_url: str, rows: Sequence[Row]) -> list[str]:
    slots = asyncio.Semaphore(IN_FLIGHT)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=IN_FLIGHT)) as session:

        async def ask(row: Row) -> str:
            body = {"model": MODEL, "messages": row["messages"]}
            async with slots, session.post(f"{base_url}/chat/completions", json=body) as response:
                completion = await response.json()
            label: str = json.loads(completion["choices"][0]["message"]["content"])["label"]
            return label

        return await asyncio.gather(*map(ask, rows))


if __name__ == "__main__":
    contend(annotate)
