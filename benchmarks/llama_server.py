"""A language-model server that is not ours: llama.cpp's, over a tiny random Llama made on the spot.

    python -m benchmarks.llama_server [--build build/llama]

Builds the server once (7 minutes on two cores; it needs cmake, a C++ compiler and the `gguf` package), then asks it
for 30 labels by JSON schema, in JSON mode and by the prompt alone, and prints how many replies were valid each way.
The model has learned nothing: what it answers well, it answers well because the server holds it to the schema.
"""

import argparse
import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from understudy.tasks.classification import Classification
from understudy.teacher.answer import Question, read_answer
from understudy.teacher.channel import RequestFailed
from understudy.teacher.endpoint.client import Client
from understudy.teacher.endpoint.endpoint import Endpoint, Structure
from understudy.teacher.request import request_body

TASK = Classification(labels=["sport", "politics", "business"])
TEXTS = [f"Message {number}: the match was decided in the last minute." for number in range(30)]
MODEL = "tiny"
SOURCE = "llama-cpp-python==0.3.36"
"""The source distribution that carries llama.cpp whole."""
_OPTIONS = (
    "-DCMAKE_BUILD_TYPE=Release",
    "-DBUILD_SHARED_LIBS=OFF",
    "-DLLAMA_BUILD_TESTS=OFF",
    "-DLLAMA_BUILD_EXAMPLES=OFF",
    "-DLLAMA_BUILD_APP=OFF",
    "-DLLAMA_BUILD_SERVER=ON",
    "-DLLAMA_USE_PREBUILT_UI=OFF",
    "-DLLAMA_OPENSSL=OFF",
)
_WIDTH, _HIDDEN, _LAYERS, _HEADS, _CONTEXT = 128, 344, 2, 4, 4096
_CHAT_TEMPLATE = (
    "{% for message in messages %}<|start|>{{ message['role'] }}\n{{ message['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)
_STARTS_WITHIN = 60.0
"""Seconds."""


def main() -> None:
    """Build what is missing, and print a table of valid replies."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--build", type=Path, default=Path("build/llama"))
    build = parser.parse_args().build
    if not is_built(build):
        build_server(build)
        write_model(build / "tiny.gguf")
    with llama_server(build) as base_url:
        print(asyncio.run(_table(base_url)))


def is_built(build: Path) -> bool:
    """Whether a folder holds a server and a model to start it with."""
    return (build / "llama-server").is_file() and (build / "tiny.gguf").is_file()


def build_server(build: Path) -> None:
    """Download the source and compile ``llama-server`` into a folder."""
    work = build / "work"
    work.mkdir(parents=True, exist_ok=True)
    download = ["pip", "download", "--quiet", "--no-binary=llama-cpp-python", "--no-deps", f"--dest={work}", SOURCE]
    subprocess.run([sys.executable, "-m", *download], check=True)
    (archive,) = work.glob("*.tar.gz")
    with tarfile.open(archive) as source:
        source.extractall(work, filter="data")
    (llama,) = work.glob("*/vendor/llama.cpp")
    subprocess.run(["cmake", "-S", llama, "-B", work / "made", *_OPTIONS], check=True)
    jobs = str(os.cpu_count())
    subprocess.run(["cmake", "--build", work / "made", "--target", "llama-server", "--parallel", jobs], check=True)
    shutil.copy2(work / "made" / "bin" / "llama-server", build)
    shutil.rmtree(work)


def write_model(path: Path) -> None:
    """Write a Llama of seeded random weights, whose tokens are single bytes, as GGUF."""
    from gguf import GGUFWriter

    writer = GGUFWriter(path, "llama")
    writer.add_context_length(_CONTEXT)
    writer.add_embedding_length(_WIDTH)
    writer.add_feed_forward_length(_HIDDEN)
    writer.add_block_count(_LAYERS)
    writer.add_head_count(_HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    tokens = _add_tokens(writer)
    _add_weights(writer, tokens)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_tokens(writer: Any) -> int:
    """Give the model its tokens, and return how many: five that steer, a space, and every byte."""
    from gguf import TokenType

    steering = ["<unk>", "<s>", "</s>", "<|start|>", "<|end|>"]
    tokens = [*steering, "▁", *(f"<0x{byte:02X}>" for byte in range(256))]
    types = [TokenType.UNKNOWN, *[TokenType.CONTROL] * 4, TokenType.NORMAL, *[TokenType.BYTE] * 256]
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(tokens.index("<|end|>"))
    writer.add_add_bos_token(True)
    writer.add_add_space_prefix(False)
    writer.add_chat_template(_CHAT_TEMPLATE)
    return len(tokens)


def _add_weights(writer: Any, tokens: int) -> None:
    import numpy as np

    shapes: dict[str, tuple[int, ...]] = {"token_embd": (tokens, _WIDTH), "output": (tokens, _WIDTH)}
    norms = ["output_norm"]
    for layer in range(_LAYERS):
        block = f"blk.{layer}"
        shapes |= {f"{block}.attn_{part}": (_WIDTH, _WIDTH) for part in ("q", "k", "v", "output")}
        shapes |= {f"{block}.ffn_{part}": (_HIDDEN, _WIDTH) for part in ("gate", "up")}
        shapes[f"{block}.ffn_down"] = (_WIDTH, _HIDDEN)
        norms += [f"{block}.attn_norm", f"{block}.ffn_norm"]
    random = np.random.default_rng(0)
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", random.normal(0, shape[-1] ** -0.5, shape).astype(np.float32))
    for name in norms:
        writer.add_tensor(f"{name}.weight", np.ones(_WIDTH, dtype=np.float32))


@contextmanager
def llama_server(build: Path) -> Iterator[str]:
    """Run the server of a build folder, and give its address up to ``/v1``; the model's name there is ``tiny``.

    Raises:
        RuntimeError: The server did not start.
    """
    port = _free_port()
    slots = 4
    command: list[str | Path] = [build / "llama-server", "--model", build / "tiny.gguf", "--alias", MODEL]
    command += ["--jinja", "--offline"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--ctx-size", str(slots * _CONTEXT)]
    command += ["--parallel", str(slots), "--threads", "1"]
    with (build / "server.log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as server:
        try:
            _wait_until_ready(server, port)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(server: "subprocess.Popen[bytes]", port: int) -> None:
    end = time.monotonic() + _STARTS_WITHIN
    while server.poll() is None and time.monotonic() < end:
        try:
            with urlopen(f"http://127.0.0.1:{port}/health", timeout=1):
                return
        except OSError:  # it does not listen yet, or is still loading the model
            time.sleep(0.1)
    raise RuntimeError("llama-server did not start; server.log in the build folder says why")


async def _table(base_url: str) -> str:
    """How many of 30 replies are valid, by the way in which their form is asked for."""
    lines = ["| the form is asked for by | valid replies |", "|---|---|"]
    ways: tuple[Structure, ...] = ("json_schema", "json_object", "text")
    for structure in ways:
        valid = await _valid_replies(Endpoint(base_url=base_url, structure=structure, max_tokens=100, max_attempts=1))
        lines.append(f"| {structure} | {valid} of {len(TEXTS)} |")
    return "\n".join(lines)


async def _valid_replies(endpoint: Endpoint) -> int:
    client = Client(endpoint)
    await client.open()
    try:
        return sum([await _is_answered(client, text) for text in TEXTS])
    finally:
        await client.close()


async def _is_answered(client: Client, text: str) -> bool:
    """Whether a text gets a valid reply; the server itself gives none (500) where one in JSON mode was cut off."""
    body = request_body(MODEL, TASK.messages(text), TASK.reply_schema)
    try:
        reply = await client.ask(body)
    except RequestFailed:
        return False
    return read_answer(Question(body, lambda raw: TASK.parse(raw, text)), reply).rejected is None


if __name__ == "__main__":
    main()
