"""The run: from a recipe to a compared, saved, usable student, in one walk through the stages."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from understudy.data.files import read_json, replacing
from understudy.errors import RunError
from understudy.progress import Progress, Silent
from understudy.recipe import Recipe
from understudy.report.page import write_report
from understudy.report.scores import read_scores
from understudy.run_folder import RunFolder
from understudy.stages.arms import comparison_arms
from understudy.stages.clean import clean
from understudy.stages.evaluate import evaluate
from understudy.stages.gather import gather, read_sources
from understudy.stages.split import split
from understudy.stages.teach import askable, check_yardstick, teach, teacher_of
from understudy.stages.train import train
from understudy.students.student import Student, load
from understudy.teacher.spending import Forecast, cost_usd
from understudy.words import row_name


@dataclass(frozen=True)
class Run:
    """A finished run.

    Attributes:
        path: Its folder.
        scores: What ``6-scores.json`` says.
        worked: Whether anything had to be done, or all of it stood there already.
    """

    path: Path
    scores: dict[str, Any] = field(repr=False)
    worked: bool = False

    @property
    def report(self) -> Path:
        """The page for people."""
        return RunFolder(self.path).report

    def student(self, name: str | None = None) -> Student:
        """A trained student, ready to predict: the chosen one, or the first seed of ``student/mixture``.

        Raises:
            RunError: No arm has that name.
        """
        wanted = name or _name(self.scores["choice"])
        folders = {_name(row): row["folder"] for row in self.scores["rows"] if "folder" in row}
        if wanted not in folders:
            raise RunError(f"{self.path}: no student {wanted!r}; expected one of: {', '.join(folders)}")
        return load(self.path / folders[wanted])


@dataclass(frozen=True)
class Plan:
    """What a recipe would do, worked out without spending anything.

    Attributes:
        rows: How many rows of each source there are.
        skipped: How many pool texts the teacher would not be asked about.
        forecast: What asking it would take.
        cost_usd: What that would cost, in USD; None where the recipe has no price.
        arms: Every student on every mixture, with the number of seeds.
        store: Where the teacher's replies are kept.
    """

    rows: dict[str, int]
    skipped: int
    forecast: Forecast
    cost_usd: float | None
    arms: dict[str, int]
    store: Path


def run(recipe: Recipe | Path | str, out: Path | str | None = None, progress: Progress | None = None) -> Run:
    """Teach, train, compare and report as a recipe says; what stands there already is not done again.

    Args:
        recipe: The recipe, or its file.
        out: The run's folder; ``runs/<name>`` by default.
        progress: Told how far the work is.

    Raises:
        UnderstudyError: Something a user can put right; what was done so far is kept.
    """
    recipe, progress = _loaded(recipe), progress or Silent()
    folder = replace(run_folder(recipe, out), progress=progress)
    check_students(recipe)
    with folder.locked():
        keep_recipe(recipe, folder)
        worked = [gather(recipe, folder), teach(recipe, folder, progress)]
        check_yardstick(folder)
        worked += [
            clean(recipe, folder),
            split(recipe, folder),
            train(recipe, folder, progress),
            evaluate(recipe, folder, progress),
            report(folder),
        ]
    return Run(folder.path, read_json(folder.scores), any(worked))


def check(recipe: Recipe | Path | str) -> Plan:
    """Check a recipe, its data and its students, and say what a run would do; nothing is asked and nothing written.

    Raises:
        UnderstudyError: The recipe, the data, a student or the teacher is not as it should be.
    """
    recipe = _loaded(recipe)
    check_students(recipe)
    teacher = teacher_of(recipe)
    if teacher.endpoint is not None:
        teacher.endpoint.secret_headers()
    rows = {"gold": 0, "pool": 0, "test": 0}
    for example in read_sources(recipe):
        rows[example.source] += 1
    forecast = teacher.forecast(askable(recipe, read_sources(recipe)))
    return Plan(
        rows=rows,
        skipped=rows["pool"] + rows["test"] - forecast.rows,
        forecast=forecast,
        cost_usd=cost_usd(forecast.tokens, recipe.teacher.price),
        arms={arm.name: arm.spec.seeds for arm in comparison_arms(recipe)},
        store=teacher.store.path,
    )


def finished(path: Path | str) -> Run:
    """A run that was done before.

    Raises:
        RunError: The folder does not hold a finished run.
        DataError: Its scores are broken.
    """
    folder = RunFolder(Path(path))
    if not folder.scores.exists():
        raise RunError(f"{folder.path}: no finished run (no {folder.scores.name} in it); run its recipe first")
    if read_scores(folder.scores).choice is None:
        raise RunError(f"{folder.scores}: no student is chosen in it; run its recipe again")
    return Run(folder.path, read_json(folder.scores))


def report_again(path: Path | str) -> Run:
    """A run that was done before, its page for people written anew.

    Raises:
        RunError: The folder does not hold a finished run.
    """
    done = finished(path)
    folder = RunFolder(done.path)
    folder.report.unlink(missing_ok=True)
    report(folder)
    return done


def check_students(recipe: Recipe) -> None:
    """Find out before any money is spent whether every student can be trained here."""
    for arm in {arm.spec.name: arm for arm in comparison_arms(recipe)}.values():
        arm.student.check_available()


def keep_recipe(recipe: Recipe, folder: RunFolder) -> None:
    """Put a copy of the recipe into the run's folder, unless that very text lies there."""
    if recipe.source is None:
        return
    written = recipe.source.read_text(encoding="utf-8")
    if not folder.recipe.exists() or folder.recipe.read_text(encoding="utf-8", errors="replace") != written:
        with replacing(folder.recipe) as copy:
            copy.write(written)


def report(folder: RunFolder) -> bool:
    """Write the page for people."""
    inputs = {"scores": folder.scores, "predictions": folder.predictions, "rejected": folder.rejected}
    return folder.make(folder.report, inputs, lambda: _write(folder))


def run_folder(recipe: Recipe, out: Path | str | None) -> RunFolder:
    """Where a recipe's run lives."""
    return RunFolder(Path(out) if out is not None else Path("runs") / recipe.name)


def _name(row: Mapping[str, Any]) -> str:
    return row_name(str(row["student"]), row["mixture"])


def _write(folder: RunFolder) -> None:
    write_report(folder.path)


def _loaded(recipe: Recipe | Path | str) -> Recipe:
    return recipe if isinstance(recipe, Recipe) else Recipe.load(recipe)
