"""What tests of the whole share: one finished run to look at, a tiny recipe to break, and the command line."""

import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, settings

from tests.commands import GOLD, POOL, TEST, Call
from tests.newswire import write_rows, write_slice
from understudy import cli, pipeline
from understudy.evaluation import speed
from understudy.pipeline import Run

# A busy machine is no mistake of the code's: properties have no deadline of their own.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time students over a few calls only: here it is not the numbers that count."""
    monkeypatch.setattr(speed, "_SECONDS", 0.01)
    monkeypatch.setattr(speed, "_CALLS", 5)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


@pytest.fixture(scope="session")
def newswire_recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_slice(
        tmp_path_factory.mktemp("newswire"),
        students={"linear": None, "gbdt": {"rounds": 3, "max_features": 300}},
        mixtures=["gold", "distilled", "simple_mix"],
        learning_curve={"student": "linear", "points": 3},
    )


@pytest.fixture(scope="session")
def newswire_run(newswire_recipe: Path) -> Run:
    with pytest.MonkeyPatch.context() as monkeypatch:
        hurry(monkeypatch)
        return pipeline.run(newswire_recipe, newswire_recipe.parent / "run")


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """The command line in this process: exit code, standard output, standard error."""

    def called(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["understudy", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        captured = capsys.readouterr()
        code = ended.value.code
        return code if isinstance(code, int) else int(code is not None), captured.out, captured.err

    return called


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A sound recipe over two labels and six rows; nobody answers at its endpoint."""
    for name, records in (("gold", GOLD), ("pool", POOL), ("test", TEST)):
        write_rows(tmp_path / f"{name}.jsonl", records)
    recipe = {
        "name": "tiny",
        "task": {"type": "classification", "labels": ["sport", "politics"]},
        "data": {
            **{name: f"{name}.jsonl" for name in ("gold", "pool", "test")},
            "columns": {"target": "label"},
        },
        "teacher": {"model": "m", "base_url": "http://127.0.0.1:9/v1", "store": "replies.jsonl"},
        "students": {"linear": None},
    }
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe, sort_keys=False))
    return path


@pytest.fixture
def small(tmp_path: Path, hurried: None) -> Path:
    """A recipe that runs in a second."""
    return write_slice(tmp_path, per_desk=2, pool=24, seeds=1)
