import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.teacher.fake_endpoint import Act, FakeEndpoint, label
from tests.teacher.teaching_process import start
from understudy.errors import DataError
from understudy.teacher.replies.claims import Claims

KEY, OTHER = b"\xff" * 32, bytes(32)
TEXTS = [f"text {number}" for number in range(40)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "replies.jsonl.claims"


def free(path: Path, key: bytes) -> bool:
    """Whether another process finds the key free."""
    code = (
        "import sys; from pathlib import Path; from understudy.teacher.replies.claims import Claims\n"
        "with Claims(Path(sys.argv[1])).on(bytes.fromhex(sys.argv[2])) as free: print(free)"
    )
    command = [sys.executable, "-c", code, str(path), key.hex()]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout == "True\n"


def test_a_claim_bars_other_processes_from_that_key_until_its_block_ends(path: Path) -> None:
    claims = Claims(path)
    with claims.on(KEY) as ours, claims.on(OTHER) as too:
        assert ours
        assert too
        assert not free(path, KEY)
        assert free(path, b"\x01" + bytes(31))
    assert free(path, KEY)
    assert path.read_bytes() == b""
    claims.close()


def test_whoever_lets_go_of_the_file_within_a_block_loses_the_claim_and_nothing_else(path: Path) -> None:
    claims = Claims(path)
    with claims.on(KEY):
        claims.close()
        assert free(path, KEY)
    with claims.on(KEY) as ours:
        assert ours
    claims.close()


def test_where_nothing_can_be_claimed_the_reason_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "claims", tmp_path):
        with pytest.raises(DataError, match="a request cannot be claimed"), Claims(path).on(KEY):
            pytest.fail("it was claimed")


def wait_until(met: Callable[[], Any]) -> None:
    end = time.monotonic() + 120
    while not met():
        assert time.monotonic() < end
        time.sleep(0.02)


def slow(text: str) -> Act:
    return Act(body=label("sport").body, delay=0.1)


def test_what_a_killed_process_was_asking_is_asked_by_the_other(tmp_path: Path) -> None:
    store = tmp_path / "replies.jsonl"
    with FakeEndpoint(respond=slow) as fake:
        fake.script.extend([Act(body=label("sport").body, drip=0.5)] * 4)
        killed = start(store, TEXTS, base_url=fake.base_url, concurrency=4)
        wait_until(lambda: len(fake.requests) == 4)
        other = start(store, TEXTS, base_url=fake.base_url, concurrency=4)
        wait_until(lambda: len(fake.requests) == len(TEXTS))
        assert len(set(fake.texts())) == len(TEXTS)  # nobody took over what was still being asked
        killed.kill()
        killed.wait()
        assert other.wait(120) == 0
        assert sorted(fake.texts()) == sorted(TEXTS + fake.texts()[:4])
