"""How a study is conducted: the stages of its recipe, then every cell, then what they say."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from understudy.data.files import digest, read_examples, replacing, write_json
from understudy.pipeline import prepare
from understudy.progress import Progress, Silent
from understudy.report.findings import Findings, read_findings
from understudy.report.study_page import FINDINGS, REPORT, write_study
from understudy.report.study_table import markdown
from understudy.run_folder import RunFolder
from understudy.stages.answer import answer_arms
from understudy.stages.arms import Arm
from understudy.stages.plan import check_available
from understudy.stages.side_by_side import room
from understudy.stages.teacher import price_of
from understudy.stages.train import train_arms
from understudy.study.design import Study
from understudy.study.findings import findings
from understudy.study.grid import Counts, arms_of, grid

TABLES = "6-study.md"


@dataclass(frozen=True)
class Studied:
    """A finished study.

    Attributes:
        path: Its folder.
    """

    path: Path

    @property
    def findings(self) -> Findings:
        """What ``6-study.json`` says."""
        return read_findings(self.path / FINDINGS)

    @property
    def tables(self) -> Path:
        """The same as Markdown."""
        return self.path / TABLES

    @property
    def report(self) -> Path:
        """The page for people."""
        return self.path / REPORT


def conduct(
    study: Study | Path | str,
    out: Path | str | None = None,
    progress: Progress | None = None,
    jobs: int | None = None,
) -> Studied:
    """Train every cell of a study and say what came of it; what stands there already is not done again.

    Args:
        study: The study, or its file.
        out: Its folder; ``runs/<name>`` by default.
        progress: Told how far the work is.
        jobs: How many students are trained at a time; as many as there is room for by default.

    Raises:
        UnderstudyError: Something a user can put right; what was done so far is kept.
    """
    study, progress = study if isinstance(study, Study) else Study.load(study), progress or Silent()
    run = RunFolder(Path(out) if out is not None else Path("runs") / study.name, progress)
    at_once = jobs or room()
    check_available(study.recipe, run, progress)
    with run.locked():
        _keep(study, run)
        prepare(study.recipe, run, progress)
        counts = _counts(run)
        arms = arms_of(grid(study, counts))
        train_arms(arms, study.recipe, run, progress, at_once)
        answer_arms(arms, run, progress, at_once)
        _find(study, run, counts, arms)
        _report(run)
    return Studied(run.path)


def _keep(study: Study, run: RunFolder) -> None:
    """Put a copy of the study into its folder."""
    with replacing(run.path / "study.yaml") as copy:
        copy.write(study.source.read_text(encoding="utf-8"))


def _counts(run: RunFolder) -> Counts:
    found = Counter(example.source == "gold" for example in read_examples(run.train))
    return Counts(gold=found[True], distilled=found[False])


def _find(study: Study, run: RunFolder, counts: Counts, arms: Sequence[Arm]) -> None:
    """Write what the answers of all arms say."""
    inputs = {
        "study": study.model_dump(mode="json", exclude={"recipe"}),
        "price": str(price_of(study.recipe.teacher)),
        "taught": run.taught,
        "test": run.test,
        "answers": {str(arm.answers(run).relative_to(run.path)): digest(arm.answers(run)) for arm in arms},
        "speeds": [digest(arm.speed(run)) for arm in arms if arm.timed],
    }
    path = run.path / FINDINGS
    run.make(path, inputs, lambda: write_json(path, findings(study, run, counts)))


def _report(run: RunFolder) -> None:
    """Write the tables and the page for people."""
    tables, page = run.path / TABLES, run.path / REPORT

    def write() -> None:
        with replacing(tables) as out:
            out.write(markdown(read_findings(run.path / FINDINGS)))
        write_study(run.path)

    run.make(page, {"findings": run.path / FINDINGS}, write, tables)
