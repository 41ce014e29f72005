"""The report of a run: one self-contained page, made of its scores, its predictions and its rejected examples."""

import functools
from collections.abc import Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from understudy import words
from understudy.data.files import replacing
from understudy.report import plots, tables
from understudy.report.answer import answer
from understudy.report.evidence import Answers, read_answers, read_rejected, read_samples
from understudy.report.markers import Style, swatch
from understudy.report.scores import Row, Scores, read_scores

SCORES = "6-scores.json"
PREDICTIONS = "6-predictions.jsonl"
REJECTED = "3-rejected.jsonl"
REPORT = "8-report.html"

_MIXTURES_FIRST = ("gold", "distilled")
"""The first is drawn hollow and the second solid, in every report; the others follow in the order of the scores."""


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
    with replacing(page) as out:
        out.writelines(_rendered(values))
    return page


def _rendered(values: Mapping[str, Any]) -> Iterator[str]:
    style = (resources.files("understudy.report") / "style.css").read_text(encoding="utf-8")
    return _template().generate(style=Markup(style), words=words, **values)  # noqa: S704  our own style sheet


@functools.cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("understudy", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")


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
    styles = _styles(scores.students)
    metric = words.metric(scores.headline).name
    teacher = scores.score(scores.teacher_row) if scores.teacher_row else None
    points = _points(scores, styles)
    curve = scores.learning_curve
    beside = teacher if curve and curve.metric == scores.headline else None
    return {
        "quality": [
            plots.quality_by_latency(points, teacher, metric, width=width, height=height)
            for width, height in ((1000, 460), (358, 400))
            if points
        ],
        "curve_plot": [
            plots.learning_curve(
                curve.points, curve.forecast, beside, words.metric(curve.metric).name, width=width, height=height
            )
            for width, height in ((1000, 380), (358, 340))
            if curve
        ],
        "legend_students": {row.student: swatch(Style(styles[row.name].student, 1)) for row in scores.students},
        "legend_mixtures": {
            row.mixture: swatch(None, styles[row.name].mixture) for row in scores.students if row.mixture
        },
        "signs": {row.name: swatch(styles[row.name]) for row in scores.students},
        "unplaced": [words.arm(row.name) for row in scores.students if row.p50 is None],
    }


def _styles(rows: list[Row]) -> dict[str, Style]:
    """How each arm is drawn, by its name."""
    students = list(dict.fromkeys(row.student for row in rows))
    mixtures = list(dict.fromkeys([*_MIXTURES_FIRST, *(row.mixture for row in rows)]))
    return {row.name: Style(students.index(row.student), mixtures.index(row.mixture)) for row in rows}


def _points(scores: Scores, styles: Mapping[str, Style]) -> list[plots.Point]:
    chosen = scores.chosen.name
    return [
        plots.Point(
            student=row.student,
            name=words.arm(row.name),
            style=styles[row.name],
            latency=row.p50,
            score=scores.score(row),
            chosen=row.name == chosen,
        )
        for row in scores.students
        if row.p50 is not None
    ]


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
        "mixtures": {
            row.mixture: words.mixture_meaning(row.mixture)
            for row in scores.students
            if row.mixture and words.mixture_meaning(row.mixture)
        },
    }
