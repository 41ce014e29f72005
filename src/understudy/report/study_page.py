"""The page of a study: what became of its claims, then every arm, and how each came to its score."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from markupsafe import Markup

from understudy import words
from understudy.report import plots, study_table, tables
from understudy.report.arms import Signs, arm_points
from understudy.report.findings import Curve, Findings, Row, read_findings
from understudy.report.markers import Style
from understudy.report.scores import Scores
from understudy.report.study_plots import Trace, regimen
from understudy.report.templates import write_page

FINDINGS = "6-study.json"
REPORT = "8-study.html"


@dataclass(frozen=True, slots=True)
class Figure:
    """A small plot among several, and what is said of it."""

    title: str
    drawing: Markup
    sentences: Sequence[str] = ()


def write_study(folder: Path) -> Path:
    """Write a study's page into its folder.

    Args:
        folder: Holds the findings.

    Returns:
        The page: one file that loads nothing from anywhere.

    Raises:
        DataError: The findings are missing, or not what they should be.
    """
    findings = read_findings(folder / FINDINGS)
    signs = Signs.of(findings.rows)
    board = findings.board
    titles, lines = tables.board(board) if board else ([], [])
    values = {
        "study": findings,
        "headline": _headline(findings),
        "lead": _lead(board) if board else "",
        "answers": study_table.answers(findings),
        "controls": study_table.judged(findings.controls),
        "by_mixture": study_table.by_mixture(findings),
        "cells": study_table.cell_sheet(findings),
        "curve_sheets": list(study_table.curve_sheets(findings)),
        "titles": titles,
        "lines": lines,
        "metrics": [words.metric(key) for key in tables.metric_keys(board)] if board else [],
        "steps": _steps(findings.whole),
        "signs": signs.swatches,
        "legends": signs.legends,
        "pareto": _pareto(board, signs) if board else [],
        "regimens": list(_regimens(findings, signs)),
        "curves": list(_curves(findings, signs)),
    }
    page = folder / REPORT
    write_page(page, "study.html.j2", values)
    return page


def _headline(findings: Findings) -> str:
    """How many of the claims hold here."""
    claims = findings.claims
    if not claims:
        return f"{words.count(len(findings.whole))} arms compared; no claim was put to the test."
    counts = {
        said: sum(claim.verdict == said for claim in claims) for said in ("supported", "contradicted", "not shown")
    }
    if len(claims) == 1:
        return f"The claim is {claims[0].verdict}."
    told = [f"{words.count(count)} {said}" for said, count in counts.items() if count]
    return f"Of {words.count(len(claims))} claims: {', '.join(told)}."


def _lead(board: Scores) -> str:
    """The best arm, and how far the teacher is."""
    best, metric = board.chosen, words.metric(board.headline)
    score = board.score(best)
    said = (
        f"The best of {words.count(len(board.candidates))} arms is {words.arm(best.name)}: {metric.said(score.mean)} "
    )
    said += f"{metric.interval(score.low, score.high)} {metric.name}"
    teacher = board.teacher_row
    return f"{said}; the teacher has {metric.said(board.score(teacher).mean)}." if teacher else f"{said}."


def _steps(rows: Sequence[Row]) -> dict[str, str]:
    """How many steps each student took, over its mixtures."""
    found: dict[str, list[int]] = {}
    for row in rows:
        if row.steps is not None:
            found.setdefault(row.student, []).append(row.steps)
    return {
        student: words.count(min(steps)) + (f" to {words.count(max(steps))}" if min(steps) < max(steps) else "")
        for student, steps in found.items()
    }


def _pareto(board: Scores, signs: Signs) -> list[list[Markup]]:
    """Quality against latency and against size, each broad and narrow."""
    metric = words.metric(board.headline).name
    teacher = board.score(board.teacher_row) if board.teacher_row else None
    found = []
    for cost in (plots.LATENCY, plots.SIZE):
        points = arm_points(board, signs, cost, {})
        front = plots.pareto(points)
        points = [replace(point, ring="on the front") if point in front else point for point in points]
        sizes = ((1000, 460), (358, 400)) if points else ()
        found.append(
            [
                plots.quality_by_cost(points, teacher, metric, cost, width=width, height=height, joined=True)
                for width, height in sizes
            ]
        )
    return [drawings for drawings in found if drawings]


def _regimens(findings: Findings, signs: Signs) -> Iterator[Figure]:
    """One for each mixture, with the arms that look at validation while they learn."""
    watched = [row for row in findings.whole if row.history]
    scores = [score for row in watched for _, score in row.history]
    ends = (min(scores), max(scores)) if scores else (0.0, 1.0)
    metric = words.metric(findings.headline).name
    for mixture, share in findings.shares.items():
        traces = [
            Trace(row.student, Style(signs.styles[row.name].student, 1), row.history)
            for row in watched
            if row.mixture == mixture
        ]
        name = words.plain(mixture)
        yield Figure(name, regimen(name, share, traces, ends, metric))


def _curves(findings: Findings, signs: Signs) -> Iterator[Figure]:
    """One for each student and each source whose size was varied, a line for each mixture."""
    together: dict[tuple[str, str, str], list[Curve]] = {}
    for curve in sorted(findings.curves, key=lambda curve: curve.over):
        together.setdefault((curve.over, curve.student, curve.metric), []).append(curve)
    for (over, student, metric), found in together.items():
        lines = [
            plots.Line(curve.points, curve.forecast, words.plain(curve.mixture), signs.styles.get(curve.name))
            for curve in found
        ]
        beside = findings.teacher_score if metric == findings.headline else None
        drawing = plots.curves(lines, beside, words.metric(metric).name, f"{over} examples", width=480, height=340)
        yield Figure(f"{student}, by {over} examples", drawing, [curve.sentence for curve in found if curve.sentence])
