"""The findings: what the answers of a study's cells say, as they stand in ``6-study.json``."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import product
from statistics import fmean
from typing import Any, Self

from understudy.data.files import read_examples, read_json, read_rows
from understudy.evaluation.learning_curve import learning_curve
from understudy.example import Prediction
from understudy.recipe import StudentSpec
from understudy.registry import find
from understudy.run_folder import RunFolder
from understudy.stages.arms import is_control
from understudy.stages.lesson import Heard, heard_from
from understudy.study.bench import Bench, Comparison, corrected, verdict
from understudy.study.design import TEACHER, Claim, Study
from understudy.study.grid import Cell, Counts, cell_of, grid, size_of
from understudy.tasks.task import Tally
from understudy.words import dollars

VERSION = 1
_GOLD, _DISTILLED = "gold", "distilled"
_POINTS = 100


@dataclass(frozen=True)
class _Measured:
    """A study whose cells have answered.

    Attributes:
        study: The study.
        run: Holds what was trained.
        counts: How many examples there were to learn from.
        heard: What the teacher said.
        bench: Scores the answers.
        cells: All of the grid.
        tallies: Of every cell, one for each seed, by the cell's name; the teacher's by ``teacher``, if it was asked.
    """

    study: Study
    run: RunFolder
    counts: Counts
    heard: Heard
    bench: Bench
    cells: Sequence[Cell]
    tallies: Mapping[str, Sequence[Tally]]

    @classmethod
    def of(cls, study: Study, run: RunFolder, counts: Counts) -> Self:
        """The answers in the study's folder, scored."""
        test = list(read_examples(run.test))
        gold = [example.target for example in test if example.target is not None]
        bench = Bench(study.recipe.task.build(), gold, [example.text for example in test])
        cells = grid(study, counts)
        tallies = {cell.name: [bench.tally(_answers(arm.answers(run))) for arm in cell.arms] for cell in cells}
        heard = heard_from(study.recipe, run, {example.id for example in test})
        if teacher := heard.contestant(test):
            tallies[TEACHER] = [bench.tally(teacher.predictions[0])]
        return cls(study, run, counts, heard, bench, cells, tallies)

    @property
    def m(self) -> float:
        """The distilled share of all examples."""
        return self.counts.distilled / max(1, self.counts.gold + self.counts.distilled)

    def pairs(self, claim: Claim, rival: str) -> list[tuple[Cell, str]]:
        """For each student the cell that is said to do better, and the name of what it is said to beat."""
        gold = size_of(claim.gold, self.counts.gold, "claims")
        distilled = size_of(claim.distilled, self.counts.distilled, "claims")

        def cell(spec: StudentSpec, mixture: str) -> Cell:
            return cell_of(self.study, spec, mixture, gold, distilled)

        students = [spec for spec in self.study.recipe.students if not is_control(spec)]
        return [
            (cell(spec, claim.better), TEACHER if rival == TEACHER else cell(spec, rival).name) for spec in students
        ]


def findings(study: Study, run: RunFolder, counts: Counts) -> dict[str, Any]:
    """What the cells' answers say, as JSON.

    Args:
        study: The study, whose cells are all trained and have answered the test set.
        run: Its folder.
        counts: How many examples there were to learn from.
    """
    measured = _Measured.of(study, run, counts)
    claims, controls = _compared(measured)
    teacher = _teacher(measured)
    return {
        **_about(measured),
        "teacher": teacher,
        "rows": [_row(cell, measured) for cell in measured.cells],
        "m": measured.m,
        "shares": {name: _course(name, measured.m) for name in study.recipe.mixtures},
        "claims": claims,
        "controls": controls,
        "curves": list(_curves(measured, teacher["label_usd"])),
    }


def _about(measured: _Measured) -> dict[str, Any]:
    """What was studied, and on how much."""
    study, task, run = measured.study, measured.bench.task, measured.run
    return {
        "version": VERSION,
        "name": study.name,
        "note": study.note or study.recipe.data.note,
        "task": study.recipe.task.name,
        "headline": task.headline,
        "exact": task.exact,
        "diagnostic": sorted(task.diagnostic),
        "understudy": version("understudy"),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "study": str(study.source),
        "seeds": max((spec.seeds for spec in study.recipe.students), default=0),
        "steps": study.steps,
        "counts": {
            **asdict(measured.counts),
            "validation": sum(1 for _ in read_examples(run.validation)),
            "test": len(measured.bench.gold),
        },
    }


def _teacher(measured: _Measured) -> dict[str, Any]:
    """Who taught, how well, and what a label costs."""
    account, replies = measured.heard.account(measured.study.recipe, measured.run), measured.heard.replies
    cost, tallies = account["cost_usd"], measured.tallies.get(TEACHER)
    return {
        "model": account["model"],
        "metrics": measured.bench.metrics(tallies) if tallies else {},
        "cost_usd": cost,
        "label_usd": cost / replies if cost and replies else None,
    }


def _row(cell: Cell, measured: _Measured) -> dict[str, Any]:
    run, counts = measured.run, measured.counts
    records = [read_json(arm.record(run)) for arm in cell.arms]
    speed = read_json(cell.arms[0].speed(run)) if cell.whole else None
    return {
        "name": cell.name,
        "student": cell.spec.name,
        "mixture": cell.mixture,
        "gold": 0 if cell.mixture == _DISTILLED else cell.gold or counts.gold,
        "distilled": 0 if cell.mixture == _GOLD else cell.distilled or counts.distilled,
        "whole": cell.whole,
        "control": is_control(cell.spec),
        "seeds": len(records),
        "metrics": measured.bench.metrics(measured.tallies[cell.name]),
        "steps": records[0]["steps"],
        "train_seconds": fmean(record["train_seconds"] for record in records),
        "parameters": records[0]["parameters"],
        "size_bytes": records[0]["size_bytes"],
        "latency_ms": None if speed is None else {"p50": speed["p50"], "p95": speed["p95"]},
        "history": records[0]["history"],
    }


def _compared(measured: _Measured) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Every claim with its comparisons, and every whole cell against gold alone; corrected for one another."""
    claims = [(claim, rival, _on_claim(measured, claim, rival)) for claim, rival in _claims(measured.study)]
    controls = list(_against_gold(measured))
    family = [comparison for *_, comparisons in claims for comparison in comparisons] + controls
    found = iter(corrected(family, measured.bench.task.headline))
    said = []
    for claim, rival, comparisons in claims:
        pooled, *by_student = [next(found) for _ in comparisons]
        said.append(
            {
                "claim": claim.claim,
                "better": claim.better,
                "than": rival,
                "verdict": verdict(pooled),
                "pooled": pooled,
                "by_student": by_student,
            }
        )
    return said, list(found)


def _claims(study: Study) -> Iterator[tuple[Claim, str]]:
    for claim in study.claims:
        for rival in claim.than:
            yield claim, rival


def _on_claim(measured: _Measured, claim: Claim, rival: str) -> list[Comparison]:
    """All students and seeds together, then each student by itself."""
    pairs = [
        (cell, measured.tallies[cell.name], name, measured.tallies[name]) for cell, name in measured.pairs(claim, rival)
    ]
    better = [tally for _, tallies, _, _ in pairs for tally in tallies]
    than = [tally for _, tallies, _, others in pairs for tally in _as_many(others, len(tallies))]
    pooled = measured.bench.compare((claim.better, better), (rival, than), None)
    each = [
        measured.bench.compare((cell.name, tallies), (name, others), cell.spec.name)
        for cell, tallies, name, others in pairs
    ]
    return [pooled, *each]


def _as_many(tallies: Sequence[Tally], seeds: int) -> list[Tally]:
    """The teacher has answered once, and is held against every seed."""
    return [tallies[place % len(tallies)] for place in range(seeds)]


def _against_gold(measured: _Measured) -> Iterator[Comparison]:
    for cell in measured.cells:
        control = f"{cell.spec.name}/{_GOLD}"
        if cell.whole and cell.mixture != _GOLD and control in measured.tallies:
            a, b = (cell.name, measured.tallies[cell.name]), (control, measured.tallies[control])
            yield measured.bench.compare(a, b, cell.spec.name)


def _course(name: str, m: float) -> list[tuple[float, float]]:
    """s(u) of a mixture, at the study's own m."""
    share = find("mixture", name)
    return [(place / _POINTS, float(share(place / _POINTS, m))) for place in range(_POINTS + 1)]


def _curves(measured: _Measured, label_usd: float | None) -> Iterator[dict[str, Any]]:
    """What each student on each mixture makes of more examples of one source, with all of the other."""
    recipe = measured.study.recipe
    for spec, mixture, source in product(recipe.students, recipe.mixtures, (_DISTILLED, _GOLD)):
        mine = [cell for cell in measured.cells if (cell.spec.name, cell.mixture) == (spec.name, mixture)]
        sizes = dict(sorted(_sizes(mine, source, measured.counts).items()))
        if len(sizes) < 2:
            continue
        scores = {size: measured.bench.headline(measured.tallies[cell.name]) for size, cell in sizes.items()}
        curve = learning_curve(scores, f"{spec.name}/{mixture}", measured.bench.task.headline)
        more = {"forecast": curve["forecast"], "sentence": _in_dollars(curve["sentence"], max(sizes), label_usd)}
        yield {
            "student": spec.name,
            "mixture": mixture,
            "over": source,
            "metric": measured.bench.task.headline,
            "points": curve["points"],
            **(more if source == _DISTILLED else {"forecast": [], "sentence": None}),
        }


def _sizes(cells: Sequence[Cell], source: str, counts: Counts) -> dict[int, Cell]:
    """The cells by how many examples of a source they learn from, with all of the other."""
    if source == _DISTILLED:
        return {cell.distilled or counts.distilled: cell for cell in cells if cell.gold is None}
    return {cell.gold or counts.gold: cell for cell in cells if cell.distilled is None}


def _in_dollars(sentence: str, more: int, label_usd: float | None) -> str:
    return sentence if label_usd is None else f"{sentence} They would cost about {dollars(more * label_usd)}."


def _answers(path: Any) -> list[Prediction]:
    return [Prediction.from_json(row) for _, row in read_rows(path)]
