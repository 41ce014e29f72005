"""The report of a run: one self-contained page, made of its scores, its predictions and its rejected examples."""

from pathlib import Path
from typing import Any

from markupsafe import Markup

from understudy import words
from understudy.report import plots, tables
from understudy.report.answer import answer
from understudy.report.arms import Signs, arm_points
from understudy.report.evidence import Answers, read_answers, read_rejected, read_samples
from understudy.report.money import break_even, payback
from understudy.report.scores import Estimate, Scores, read_scores
from understudy.report.templates import write_page

SCORES = "6-scores.json"
PREDICTIONS = "6-predictions.jsonl"
REJECTED = "3-rejected.jsonl"
REPORT = "8-report.html"


def write_report(run_folder: Path) -> Path:
    """Write a run's report into its folder.

    Args:
        run_folder: Holds the scores; where its predictions or rejected examples are missing, the page says so.

    Returns:
        The page: one file that loads nothing from anywhere.

    Raises:
        DataError: The scores are missing, or one of the files is not what it should be.
    """
    scores = read_scores(run_folder / SCORES)
    predictions = run_folder / PREDICTIONS
    answers = read_answers(predictions, scores.chosen.name) if scores.exact else None
    counted = scores.data.rejected if scores.data else None
    values = {
        "run": scores.name or run_folder.resolve().name,
        "scores": scores,
        "answer": answer(scores),
        "answers": answers,
        "samples": [] if scores.exact else read_samples(predictions, scores.chosen.name),
        "bands": [band for band in answers.bands if band.answers] if answers else [],
        "folder": str(run_folder),
        "rejected": read_rejected(run_folder / REJECTED, counted),
        "plain_numbers": _plain_numbers(scores, answers),
        **_pictures(scores),
        **_tables(scores),
    }
    page = run_folder / REPORT
    write_page(page, "page.html.j2", values)
    return page


def _plain_numbers(scores: Scores, answers: Answers | None) -> str:
    """How many test texts were answered exactly right, for tasks that count that way."""
    if answers is None or "accuracy" not in scores.chosen.metrics:
        return ""
    chosen = scores.chosen
    seed = f" (the first of {chosen.seeds} seeds)" if chosen.seeds and chosen.seeds > 1 else ""
    said = (
        f"Of {words.count(answers.tested)} test texts, the {chosen.student}{seed} gets "
        f"{words.count(answers.student_right)} right"
    )
    if answers.both == answers.tested:
        said += f"; the teacher gets {words.count(answers.teacher_right)}"
    return f"{said}."


def _pictures(scores: Scores) -> dict[str, Any]:
    metric = words.metric(scores.headline).name
    teacher = scores.score(scores.teacher_row) if scores.teacher_row else None
    chosen = {scores.chosen.name: "the run’s choice"}
    signs = Signs.of(scores.students)
    points = arm_points(scores, signs, plots.LATENCY, chosen)
    return {
        "quality": [
            plots.quality_by_cost(points, teacher, metric, width=width, height=height)
            for width, height in ((1000, 460), (358, 400))
            if points
        ],
        "curve_plot": _curve_plots(scores, teacher),
        "payback": payback(scores.teacher),
        "payback_plot": _payback_plots(scores),
        "legends": signs.legends,
        "signs": signs.swatches,
        "unplaced": [words.arm(row.name) for row in scores.students if row.p50 is None],
    }


def _curve_plots(scores: Scores, teacher: Estimate | None) -> list[Markup]:
    curve = scores.learning_curve
    if curve is None:
        return []
    beside = teacher if curve.metric == scores.headline else None
    line, metric = plots.Line(curve.points, curve.forecast), words.metric(curve.metric).name
    return [
        plots.curves([line], beside, metric, "examples labelled by the teacher", width=width, height=height)
        for width, height in ((1000, 380), (358, 340))
    ]


def _payback_plots(scores: Scores) -> list[Markup]:
    found = payback(scores.teacher)
    return [break_even(found, width=width, height=280) for width in (1000, 358)] if found else []


def _tables(scores: Scores) -> dict[str, Any]:
    titles, lines = tables.board(scores)
    titles_aside, lines_aside = tables.board_aside(scores)
    first, others = tables.comparisons(scores)
    by_label = {row.name: tables.labels(scores, row) for row in scores.rows}
    return {
        "titles": titles,
        "lines": lines,
        "titles_aside": titles_aside,
        "lines_aside": lines_aside,
        "comparisons": first,
        "other_comparisons": others,
        "labels": by_label[scores.chosen.name],
        "other_labels": [found for name, found in by_label.items() if found is not None and name != scores.chosen.name],
        "metrics": [words.metric(key) for key in tables.metric_keys(scores)],
    }
