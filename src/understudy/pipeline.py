"""The run: from a recipe to a compared, saved, usable student, in one walk through the stages."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from understudy.data.files import read_examples, read_json, replacing
from understudy.errors import RunError
from understudy.evaluation.break_even import BreakEven
from understudy.evaluation.demands import BEST, Demands, Verdict, cheapest
from understudy.progress import Progress, Silent
from understudy.recipe import Recipe
from understudy.report.page import write_report
from understudy.report.scores import Teacher, read_scores
from understudy.run_folder import RunFolder
from understudy.stages import batch
from understudy.stages import record as records
from understudy.stages.clean import clean, rejections
from understudy.stages.evaluate import evaluate, scoreboard_of
from understudy.stages.gather import gather
from understudy.stages.generate import generate
from understudy.stages.lesson import Lesson, lesson
from understudy.stages.plan import Plan, check_available, plan
from understudy.stages.split import split
from understudy.stages.teach import check_yardstick, teach
from understudy.stages.train import train
from understudy.students.student import Student, load
from understudy.teacher.batch.files import Exported, Imported
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


def run(
    recipe: Recipe | Path | str, out: Path | str | None = None, progress: Progress | None = None, jobs: int = 1
) -> Run:
    """Teach, train, compare and report as a recipe says; what stands there already is not done again.

    Args:
        recipe: The recipe, or its file.
        out: The run's folder; ``runs/<name>`` by default.
        progress: Told how far the work is.
        jobs: How many students are trained at a time, each in a process of its own and with its share of the processor.

    Raises:
        UnderstudyError: Something a user can put right; what was done so far is kept.
    """
    recipe, progress = _loaded(recipe), progress or Silent()
    folder = replace(run_folder(recipe, out), progress=progress)
    check_available(recipe, folder, progress)
    with folder.locked():
        keep_recipe(recipe, folder)
        worked = [
            prepare(recipe, folder, progress),
            train(recipe, folder, progress, jobs),
            evaluate(recipe, folder, progress, jobs),
            report(folder),
        ]
    return Run(folder.path, read_json(folder.scores), any(worked))


def prepare(recipe: Recipe, folder: RunFolder, progress: Progress) -> bool:
    """The stages before training: everything that there is to learn from, to stop by and to be measured on."""
    taught = [gather(recipe, folder), teach(recipe, folder, progress), generate(recipe, folder, progress)]
    if recipe.teacher.compared:
        check_yardstick(folder)
    return any([*taught, clean(recipe, folder, progress), split(recipe, folder)])


def check(recipe: Recipe | Path | str, out: Path | str | None = None) -> Plan:
    """Check a recipe, its data and its students, and say what a run would do; nothing is asked.

    Nothing is written but the index of a reply store, where there is one and its index is not up to date.

    Raises:
        UnderstudyError: The recipe, the data, a student or the teacher is not as it should be.
    """
    recipe = _loaded(recipe)
    return plan(recipe, run_folder(recipe, out), Silent())


def teach_only(recipe: Recipe | Path | str, out: Path | str | None = None, progress: Progress | None = None) -> Lesson:
    """Ask the teacher as a recipe says, and do nothing more.

    Raises:
        UnderstudyError: Something a user can put right; what was answered so far is kept.
    """
    with _opened(recipe, out, progress) as (loaded, folder, told):
        teach(loaded, folder, told)
        generate(loaded, folder, told)
        return lesson(loaded, folder)


def clean_only(
    recipe: Recipe | Path | str, out: Path | str | None = None, progress: Progress | None = None
) -> tuple[int, dict[str, int], RunFolder]:
    """Clean what the teacher answered in an earlier run, and do nothing more.

    Returns:
        How many rows are kept, how many are not by reason, and the run's folder.

    Raises:
        RunError: Nothing was taught yet, or nothing generated where that is wanted.
        UnderstudyError: Something else that a user can put right.
    """
    recipe, progress = _loaded(recipe), progress or Silent()
    folder = replace(run_folder(recipe, out), progress=progress)
    made = {"taught": folder.taught, **({"generated": folder.generated} if recipe.generate else {})}
    for done, file in made.items():
        if not file.exists():
            raise RunError(f"{folder.path}: nothing was {done} yet (no {file.name} in it); teach or run it first")
    with folder.locked():
        clean(recipe, folder, progress)
        return sum(1 for _ in read_examples(folder.clean)), rejections(folder), folder


def record(recipe: Recipe | Path | str, column: str, folder: Path | str) -> int:
    """Write answers that the teacher gave elsewhere, in a column of pool and test, as a recording; returns how many.

    Raises:
        UnderstudyError: Something a user can put right.
    """
    return records.record(_loaded(recipe), column, Path(folder))


def export_batch(
    recipe: Recipe | Path | str, to: Path, out: Path | str | None = None, progress: Progress | None = None
) -> Exported:
    """Write what the teacher has not answered yet as OpenAI Batch request files.

    Raises:
        UnderstudyError: Something a user can put right.
    """
    with _opened(recipe, out, progress) as (loaded, folder, told):
        return batch.export_batch(loaded, folder, to, told)


def import_batch(
    recipe: Recipe | Path | str,
    files: Sequence[Path],
    out: Path | str | None = None,
    progress: Progress | None = None,
) -> Imported:
    """Take the output and error files of a batch into the reply store.

    Raises:
        UnderstudyError: Something a user can put right.
    """
    with _opened(recipe, out, progress) as (loaded, folder, told):
        return batch.import_batch(loaded, folder, files, told)


def submit_batch(
    recipe: Recipe | Path | str, to: Path, out: Path | str | None = None, progress: Progress | None = None
) -> Imported:
    """Ask over the endpoint's Batch API, and wait for what comes; the same call goes on where one was cut short.

    Raises:
        UnderstudyError: Something a user can put right; what was answered so far is kept.
    """
    with _opened(recipe, out, progress) as (loaded, folder, told):
        return batch.submit_batch(loaded, folder, to, told)


def cancel_batch(
    recipe: Recipe | Path | str, to: Path, out: Path | str | None = None, progress: Progress | None = None
) -> Imported:
    """Have what is under way at the Batch API cancelled, and keep what was answered until then.

    Raises:
        UnderstudyError: Something a user can put right; nothing is lost.
    """
    with _opened(recipe, out, progress) as (loaded, folder, told):
        return batch.cancel_batch(loaded, folder, to, told)


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


def choose(
    path: Path | str,
    *,
    against: str = BEST,
    max_drop: float | None = None,
    max_latency_ms: float | None = None,
    max_size_mb: float | None = None,
) -> Verdict:
    """The cheapest student of a finished run that meets all demands, and why; nothing is written.

    Args:
        path: The run's folder.
        against: Whom it may not be worse than: ``best``, ``teacher``, or a row such as ``linear/gold``.
        max_drop: By how much it may be, by the lower end of the paired 95 % interval; None asks only that it is not
            significantly worse.
        max_latency_ms: How long one text may take, in milliseconds at the median.
        max_size_mb: How large it may be on disk, in millions of bytes.

    Raises:
        RunError: The folder does not hold a finished run.
        UnknownName: The reference is not in the run.
        UnderstudyError: A demand is no amount, or one of the run's files is broken.
    """
    demands = Demands(max_drop, max_latency_ms, max_size_mb)
    folder = RunFolder(finished(path).path)
    return cheapest(scoreboard_of(Recipe.load(folder.recipe), folder), demands, against)


def break_even(
    path: Path | str, *, calls_a_day: float, price_a_call: float | None = None, price_a_day: float = 0.0
) -> BreakEven:
    """When a student of a finished run has paid back what teaching it cost.

    Args:
        path: The run's folder.
        calls_a_day: How many calls of the teacher it saves.
        price_a_call: What one costs, in USD; None for what a reply cost on average in this run.
        price_a_day: What serving the student costs, in USD.

    Raises:
        RunError: The folder does not hold a finished run.
        DataError: The run does not tell what the teacher costs, or an amount is none.
    """
    teacher = read_scores(RunFolder(finished(path).path).scores).teacher or Teacher()
    return BreakEven.recorded(
        teacher.cost_usd,
        teacher.requests,
        calls_a_day=calls_a_day,
        price_a_call_usd=price_a_call,
        serving_usd_a_day=price_a_day,
    )


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


@contextmanager
def _opened(
    recipe: Recipe | Path | str, out: Path | str | None, progress: Progress | None
) -> Iterator[tuple[Recipe, RunFolder, Progress]]:
    """A run's folder to oneself, with the team's texts in it."""
    recipe, progress = _loaded(recipe), progress or Silent()
    folder = replace(run_folder(recipe, out), progress=progress)
    with folder.locked():
        keep_recipe(recipe, folder)
        gather(recipe, folder)
        yield recipe, folder, progress


def _name(row: Mapping[str, Any]) -> str:
    return row_name(str(row["student"]), row["mixture"])


def _write(folder: RunFolder) -> None:
    write_report(folder.path)


def _loaded(recipe: Recipe | Path | str) -> Recipe:
    return recipe if isinstance(recipe, Recipe) else Recipe.load(recipe)
