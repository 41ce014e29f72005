"""The folder of a run: where each stage leaves its file, and whether that file is still true.

Beside each output lies a fingerprint of what it was made from. A stage whose fingerprint matches is not run again;
an output that somebody has edited is kept, and what hangs on it is made anew.
"""

import fcntl
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from understudy.data.files import digest, replacing
from understudy.errors import RunError


@dataclass(frozen=True)
class RunFolder:
    """The files of one run, in the order in which they are made."""

    path: Path

    @property
    def recipe(self) -> Path:
        """A copy of the recipe, as it was run."""
        return self.path / "recipe.yaml"

    @property
    def inputs(self) -> Path:
        """All texts: gold, pool and test."""
        return self.path / "1-inputs.jsonl"

    @property
    def taught(self) -> Path:
        """The teacher's answers, for pool and test."""
        return self.path / "2-taught.jsonl"

    @property
    def clean(self) -> Path:
        """The distilled examples that passed every check."""
        return self.path / "3-clean.jsonl"

    @property
    def rejected(self) -> Path:
        """The others, each with its reason."""
        return self.path / "3-rejected.jsonl"

    @property
    def train(self) -> Path:
        """What students learn from: gold and distilled."""
        return self.path / "4-train.jsonl"

    @property
    def validation(self) -> Path:
        """Gold examples held out of training, by which a student may stop early."""
        return self.path / "4-validation.jsonl"

    @property
    def test(self) -> Path:
        """The gold test set, which neither teacher nor student learns from."""
        return self.path / "4-test.jsonl"

    @property
    def students(self) -> Path:
        """The trained students: ``<mixture>/<student>/seed-<n>``."""
        return self.path / "5-students"

    @property
    def scores(self) -> Path:
        """Every predictor's scores."""
        return self.path / "6-scores.json"

    @property
    def predictions(self) -> Path:
        """What every predictor said of every test text."""
        return self.path / "6-predictions.jsonl"

    @property
    def report(self) -> Path:
        """One page for people."""
        return self.path / "8-report.html"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes out of the folder for the time of a run.

        Raises:
            RunError: Another process is at work in it, or it cannot be written to.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = (self.path / ".lock").open("a")
        except OSError as error:
            raise RunError(
                f"{self.path}: cannot be a run's folder ({error.strerror}); choose another by --out"
            ) from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RunError(
                    f"{self.path}: another run is at work in this folder; wait for it, or use --out"
                ) from None
            self._sweep()
            yield

    def _sweep(self) -> None:
        """Remove what a killed run had not finished writing."""
        for part in list(self.path.rglob(".*.part")):
            if part.is_dir():
                shutil.rmtree(part)
            else:
                part.unlink()

    def make(self, output: Path, inputs: Mapping[str, Any], work: Callable[[], None], *others: Path) -> bool:
        """Do a stage's work unless its output stands there, made from these very inputs; returns whether it was done.

        Args:
            output: The file or folder that the work makes last.
            inputs: What it is made from, as JSON values; a path stands for the content of its file.
            work: Makes it.
            others: What else the work makes; where somebody has removed one of them, it is done again.
        """
        seal = output.with_name(f".{output.name}.fingerprint")
        found = _fingerprint(inputs)
        if all(made.exists() for made in (output, *others)) and _read(seal) == found:
            return False
        seal.unlink(missing_ok=True)
        work()
        with replacing(seal) as out:
            out.write(found)
        return True


def _fingerprint(inputs: Mapping[str, Any]) -> str:
    """Inputs as text, so that the order of labels counts too: the teacher reads them in it."""
    content = {name: digest(value) if isinstance(value, Path) else value for name, value in inputs.items()}
    return json.dumps({"understudy": version("understudy"), **content}, ensure_ascii=False, indent=2, default=str)


def _read(seal: Path) -> str | None:
    try:
        return seal.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
