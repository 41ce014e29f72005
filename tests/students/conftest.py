import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.students.contract import CELLS, Cell
from tests.students.sequences.tiny import one_thread
from tests.students.tiny_bert import write_tiny_bert


@pytest.fixture(name="one_thread")
def whole_test_in_one_thread() -> Iterator[None]:
    with one_thread():
        yield


@pytest.fixture(scope="session")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bert(tmp_path_factory.mktemp("hub") / "tiny-bert")


@pytest.fixture(scope="session", params=CELLS, ids="-".join)
def cell(request: pytest.FixtureRequest, bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Cell:
    """Each student that has learned each task; learned once for all tests."""
    name, task = request.param
    with one_thread():
        return Cell(name, task, bert, tmp_path_factory.mktemp(f"{name}-{task}") / "model")


@pytest.fixture
def copy(cell: Cell, tmp_path: Path) -> Path:
    return Path(shutil.copytree(cell.folder, tmp_path / "copy"))
