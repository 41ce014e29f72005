"""The folder of a run: where each stage leaves its file, and whether that file is still true.

Beside each output lies a seal: what it was made from, and what it was like. A stage whose inputs are the same is not
run again, and an output that somebody has edited stays, while what hangs on it is made anew. Where the inputs have
changed and an edited output must give way, it is kept under another name.
"""

import fcntl
import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import chain, count
from pathlib import Path
from typing import Any

from understudy.data.files import digest, read_json, write_json
from understudy.errors import DataError, RunError
from understudy.progress import Progress, Silent

_PART = re.compile(r"\..+\.\d+\.part")
"""What is still being written, by the process of that number."""


@dataclass(frozen=True)
class RunFolder:
    """The files of one run, in the order in which they are made.

    Attributes:
        path: The folder.
        progress: Told where an edited file has to give way.
    """

    path: Path
    progress: Progress = field(default_factory=Silent, compare=False)

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
    def generated(self) -> Path:
        """The texts that the teacher wrote, where it was asked to."""
        return self.path / "2-generated.jsonl"

    @property
    def spending(self) -> Path:
        """What was reserved and spent for that, request by request."""
        return self.path / "2-spending.jsonl"

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
        """Remove what a killed run had not finished writing, and nothing else: the folder may be somebody's home."""
        for part in [*self.path.iterdir(), *self.students.rglob(".*.part")]:
            if not _PART.fullmatch(part.name):
                continue
            if part.is_dir():
                shutil.rmtree(part)
            else:
                part.unlink()

    def make(self, output: Path, inputs: Mapping[str, Any], work: Callable[[], bool | None], *others: Path) -> bool:
        """Do a stage's work unless its output stands there, made from these very inputs; returns whether it was done.

        Args:
            output: The file or folder that the work makes last.
            inputs: What it is made from, as JSON values; a path stands for the content of its file.
            work: Makes it. Where it returns False, some of it is still wanting: the result serves this run, and the
                next one does the work again.
            others: What else the work makes; where somebody has removed one of them, it is done again.
        """
        made = (output, *others)
        seal = output.with_name(f".{output.name}.fingerprint")
        found, last = _fingerprint(inputs), _read(seal)
        same = json.dumps(last.get("inputs")) == json.dumps(found)  # the order of labels counts: the teacher reads it
        if same and last.get("finished") is True and all(path.exists() for path in made):
            return False
        self._set_aside_edited(made, last.get("made"))
        seal.unlink(missing_ok=True)
        finished = work() is not False
        write_json(seal, {"finished": finished, "made": _digests(made), "inputs": found})
        return True

    def _set_aside_edited(self, made: Iterable[Path], sealed: Any) -> None:
        """Keep files that are no longer as they were made: somebody has worked on them."""
        known = sealed if isinstance(sealed, dict) else {}
        for path in made:
            if path.is_file() and path.name in known and known[path.name] != digest(path):
                kept = _unused(path)
                path.rename(kept)
                self.progress.say(
                    f"{path.relative_to(self.path)} had been edited and has to be made anew; "
                    f"the edited file is kept as {kept.name}"
                )


def _unused(path: Path) -> Path:
    """A free name beside an edited file: ``3-clean.edited.jsonl``, ``3-clean.edited-2.jsonl`` and so on."""
    marks = chain(["edited"], (f"edited-{number}" for number in count(2)))
    names = (path.with_name(f"{path.stem}.{mark}{path.suffix}") for mark in marks)
    return next(name for name in names if not name.exists())


def _fingerprint(inputs: Mapping[str, Any]) -> Any:
    """What decides an output: the inputs as they come back from JSON, and the version that works on them."""
    content = {name: digest(value) if isinstance(value, Path) else value for name, value in inputs.items()}
    return json.loads(json.dumps({"understudy": version("understudy"), **content}, default=str))


def _digests(made: Iterable[Path]) -> dict[str, str]:
    return {path.name: digest(path) for path in made if path.is_file()}


def _read(seal: Path) -> dict[str, Any]:
    """What a seal says; nothing where there is none, or a broken one."""
    try:
        said = read_json(seal)
    except DataError:
        return {}
    return said if isinstance(said, dict) else {}
