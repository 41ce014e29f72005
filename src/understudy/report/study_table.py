"""A study's findings as tables: the same rows in Markdown, in a terminal and on the page."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.table import Table

from understudy import words
from understudy.report import tables
from understudy.report.findings import Claim, Comparison, Curve, Findings
from understudy.report.scores import CurvePoint, Scores
from understudy.report.statements import difference
from understudy.report.terminal import score_table

_SIGNS = {"supported": "up", "contradicted": "down", "not shown": "unsure"}
_COLOURS = {"up": "green", "down": "red", "unsure": "dim"}
_MARKS = {"up": "▲", "down": "▼", "unsure": ""}


@dataclass(frozen=True, slots=True)
class Judged:
    """A comparison of a study in words: whose it is, what it says, and how sure that is."""

    whose: str
    a: str
    b: str
    compared: tables.Compared
    p_holm: str
    effect: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the study says to a claim: a verdict with its sign, a sentence, and the comparisons behind it."""

    claim: str
    verdict: str
    sign: str
    sentence: str
    forest: list[Judged]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A plain table: its title, its columns' titles and its rows, of which the first ``left`` columns are names."""

    title: str
    head: list[str]
    rows: list[list[str]]
    left: int


def answers(findings: Findings) -> list[Answer]:
    """Every claim with its verdict; its comparisons are drawn to one scale."""
    return [
        Answer(
            claim=claim.claim,
            verdict=claim.verdict,
            sign=_SIGNS[claim.verdict],
            sentence=_sentence(claim),
            forest=judged(claim.compared),
        )
        for claim in findings.claims
    ]


def judged(found: Sequence[Comparison]) -> list[Judged]:
    """Comparisons in words; a difference is called one only where the study's statistics call it so."""
    return [
        Judged(
            whose=comparison.student or "all students",
            a=_side(comparison, comparison.a),
            b=_side(comparison, comparison.b),
            compared=compared,
            p_holm=words.p_value(comparison.p_holm),
            effect=words.NOTHING if comparison.effect is None else words.signed(comparison.effect, decimals=2),
        )
        for comparison, compared in zip(found, tables.compared(found, _verdict), strict=True)
    ]


def _side(comparison: Comparison, name: str) -> str:
    """One side of a comparison in words: an arm, or a mixture where all students are taken together."""
    return words.arm(name) if comparison.student else words.plain(name)


def _verdict(comparison: Comparison) -> tuple[str, str]:
    return tables.verdict(comparison, significant=comparison.significant)


def _sentence(claim: Claim) -> str:
    """The pooled difference, as ``simple mix beats union by +0.012 [+0.004, +0.020] macro-F1 …``."""
    pooled, better, than = claim.pooled, words.plain(claim.better), words.plain(claim.than)
    students = len(claim.by_student)
    over = f" over {students} students" if students > 1 else ""
    said = f"{difference(pooled)}{over}; corrected p {_equals(pooled.p_holm)}"
    sign, _ = _verdict(pooled)
    if sign == "up":
        return f"{better} beats {than}: {said}."
    if sign == "down":
        return f"{better} is worse than {than}: {said}."
    return f"No significant difference between {better} and {than}: {said}."


def _equals(p_value: float | None) -> str:
    said = words.p_value(p_value)
    return said if said.startswith("<") else f"= {said}"


@dataclass(frozen=True, slots=True)
class ScoreCell:
    """A score in the table of mixtures by students.

    Attributes:
        text: The score; empty where there is no such arm.
        share: Its place between the lowest and the highest score of the table, in [0, 1].
        mark: Whether it is significantly above or below gold alone.
        best: Whether it is the best of its student's.
        said: The whole of it, with the interval.
    """

    text: str = ""
    share: float = 0.0
    mark: str = ""
    best: bool = False
    said: str = ""


def by_mixture(findings: Findings) -> dict[str, list[ScoreCell]]:
    """For each mixture the headline scores of all students, on the whole of the data."""
    board = findings.board
    if board is None:
        return {}
    means = [board.score(row).mean for row in board.students]
    best = {
        row.student: max(board.score(r).mean for r in board.students if r.student == row.student)
        for row in board.students
    }
    against_gold = {each.a: each for each in findings.controls}
    rows = {(row.student, row.mixture): row for row in findings.whole}

    def cell(student: str, mixture: str) -> ScoreCell:
        row = rows.get((student, mixture))
        if row is None:
            return ScoreCell()
        score = board.score(row)
        compared = against_gold.get(row.name)
        beside = f"; against gold alone {difference(compared)}" if compared else ""
        return ScoreCell(
            text=metric.said(score.mean),
            share=(score.mean - min(means)) / ((max(means) - min(means)) or 1.0),
            mark=_MARKS[_verdict(compared)[0]] if compared else "",
            best=score.mean == best[student],
            said=f"{words.arm(row.name)}: {metric.said(score.mean)} {metric.interval(*score.bounds)}{beside}",
        )

    metric = words.metric(findings.headline)
    return {mixture: [cell(student, mixture) for student in findings.students] for mixture in findings.mixtures}


def claim_sheet(findings: Findings) -> Sheet:
    """The claims, each with its verdict and its comparisons, the pooled one first."""
    rows = [
        [
            *((answer.claim, answer.verdict) if place == 0 else ("", "")),
            each.whose,
            f"{each.a} − {each.b}",
            each.compared.difference,
            each.compared.interval,
            each.compared.p_value,
            each.p_holm,
            each.effect,
        ]
        for answer in answers(findings)
        for place, each in enumerate(answer.forest)
    ]
    head = [
        "claim",
        "verdict",
        "student",
        "difference of",
        words.metric(findings.headline).name,
        "95 %",
        "p",
        "p (Holm)",
        "d_z",
    ]
    return Sheet("Claims", head, rows, left=4)


def board_sheet(board: Scores) -> Sheet:
    """The main table: the teacher, then every arm, best first."""
    titles, lines = tables.board(board)
    rows = [
        [
            line.title,
            words.plain(line.row.mixture or words.NOTHING),
            words.count(line.row.seeds),
            *(f"{cell.text} {cell.note}" if cell.note.startswith("[") else cell.text for cell in line.cells),
        ]
        for line in lines
    ]
    return Sheet("Every arm on all examples", ["student", "learned from", "seeds", *titles], rows, left=2)


def curve_sheets(findings: Findings) -> Iterator[Sheet]:
    """For each source whose size was varied, the scores by size; expected ones in round brackets."""
    ordered = sorted(findings.curves, key=lambda curve: (curve.over, curve.metric))
    for (over, metric), some in groupby(ordered, key=lambda curve: (curve.over, curve.metric)):
        lines = list(some)
        sizes = sorted({point.size for line in lines for point in chain(line.points, line.forecast)})
        rows = [[line.student, words.plain(line.mixture), *_along(line, sizes)] for line in lines]
        head = ["student", "learned from", *map(words.count, sizes)]
        yield Sheet(f"{words.metric(metric).name} by number of {over} examples", head, rows, left=2)


def cell_sheet(findings: Findings) -> Sheet:
    """The cells that learned from fewer examples than there are."""
    metric = words.metric(findings.headline)
    rows = []
    for row in sorted((row for row in findings.rows if not row.whole), key=findings.reached, reverse=True):
        score = findings.score(row)
        sizes = [words.count(row.gold), words.count(row.distilled), words.count(row.seeds)]
        said = f"{metric.said(score.mean)} {metric.interval(score.low, score.high)}".rstrip()
        rows.append([row.student, words.plain(row.mixture or words.NOTHING), *sizes, said])
    head = ["student", "learned from", "gold", "distilled", "seeds", metric.name]
    return Sheet("Cells of fewer examples", head, rows, left=2)


def _along(curve: Curve, sizes: Sequence[int]) -> Iterator[str]:
    known, expected = ({point.size: point for point in points} for points in (curve.points, curve.forecast))
    for size in sizes:
        if size in known:
            yield _estimate(curve.metric, known[size])
        else:
            yield f"({_estimate(curve.metric, expected[size])})" if size in expected else words.NOTHING


def _estimate(key: str, point: CurvePoint) -> str:
    metric = words.metric(key)
    return f"{metric.said(point.mean)} {metric.interval(point.low, point.high)}".rstrip()


def markdown(findings: Findings) -> str:
    """The tables of a study for a document: the claims, the main table, the curves, and every smaller cell."""
    board = findings.board
    sheets = [
        claim_sheet(findings),
        *([board_sheet(board)] if board else []),
        *curve_sheets(findings),
        cell_sheet(findings),
    ]
    return "\n".join(_in_markdown(sheet) for sheet in sheets if sheet.rows)


def _in_markdown(sheet: Sheet) -> str:
    rule = ["---" if column < sheet.left else "---:" for column in range(len(sheet.head))]
    rows = [[_cell(text) for text in row] for row in (sheet.head, *sheet.rows)]
    lines = [f"| {' | '.join(row)} |" for row in (rows[0], rule, *rows[1:])]
    return "\n".join([f"### {_cell(sheet.title)}", "", *lines, ""])


def _cell(text: str) -> str:
    """A text that stays in its cell, and is text."""
    return re.sub(r"([\\`*_|<>]|\](?=\())", r"\\\1", " ".join(text.split()))


def terminal(findings: Findings, console: Console) -> RenderableType:
    """The claims with their verdicts, and the main table with as many scores as the terminal has room for."""
    claims = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1), show_header=False)
    for answer in answers(findings):
        said = f"{escape(answer.claim)}\n[dim]{escape(answer.sentence)}[/]"
        claims.add_row(f"[{_COLOURS[answer.sign]}]{answer.verdict}[/]", said)
    board = findings.board
    parts: list[RenderableType] = [claims, ""] if findings.claims else []
    return Group(*parts, score_table(board, console) if board else "no arm was measured on all examples")
