"""Evaluation: every trained arm and the teacher on the same test set, into one scores file."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from statistics import fmean
from typing import Any

from understudy.data.clean import is_rejected
from understudy.data.files import digest, read_examples, read_json, read_rows, write_json, write_records
from understudy.evaluation.choice import choose
from understudy.evaluation.learning_curve import learning_curve
from understudy.evaluation.scoreboard import Contestant, Scoreboard
from understudy.example import Example, Prediction
from understudy.progress import Progress
from understudy.recipe import Recipe
from understudy.run_folder import RunFolder
from understudy.stages.answer import answer_arms
from understudy.stages.arms import Arm, comparison_arms, curve_arms
from understudy.stages.clean import rejections
from understudy.stages.lesson import heard_from
from understudy.stages.teacher import price_of
from understudy.stages.train import all_arms

VERSION = 1

_IN_SCORES: dict[str, Any] = {
    "name": True,
    "task": True,
    "source": True,
    "learning_curve": True,
    "data": {"note"},
    "teacher": {"model"},
}
"""What of the recipe stands in the scores, beyond what came of the stages before."""


def evaluate(recipe: Recipe, run: RunFolder, progress: Progress, jobs: int = 1) -> bool:
    """Have every arm answer the test set, and write ``6-scores.json`` and ``6-predictions.jsonl``."""
    distilled = sum(1 for example in read_examples(run.train) if example.source != "gold")
    arms = all_arms(recipe, distilled)
    answer_arms(arms, run, progress, jobs)
    test = list(read_examples(run.test))
    inputs = {
        "recipe": recipe.model_dump(mode="json", include=_IN_SCORES),
        "price": str(price_of(recipe.teacher)),
        "taught": run.taught,
        "generated": run.generated if recipe.generate else None,
        "test": run.test,
        "answers": {arm.answers(run).relative_to(run.path).as_posix(): digest(arm.answers(run)) for arm in arms},
        "speeds": [digest(arm.speed(run)) for arm in comparison_arms(recipe) if arm.seed == 0],
    }
    return run.make(run.scores, inputs, lambda: _compare(recipe, run, test, distilled), run.predictions)


def _compare(recipe: Recipe, run: RunFolder, test: Sequence[Example], distilled: int) -> None:
    heard = heard_from(recipe, run, {example.id for example in test})
    teacher = heard.contestant(test)
    students = _students(recipe, run)
    scoreboard = _scoreboard(recipe, test, teacher, students)
    choice = choose(scoreboard)
    rows = scoreboard.rows()
    write_records(run.predictions, _side_by_side(test, teacher, students))
    scores = {
        "version": VERSION,
        "name": recipe.name,
        "task": recipe.task.name,
        "form": scoreboard.task.form,
        "exact": scoreboard.task.exact,
        "headline": scoreboard.task.headline,
        "diagnostic": sorted(scoreboard.task.diagnostic),
        "understudy": version("understudy"),
        "recipe": None if recipe.source is None else str(recipe.source),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "rows": rows,
        "teacher": {
            "metrics": rows[0]["metrics"] if teacher else {},
            "unusable": _unusable(teacher) if teacher else 0,
            **heard.account(recipe, run),
        },
        "comparisons": scoreboard.comparisons(),
        "choice": {
            "student": choice.contestant.student,
            "mixture": choice.contestant.mixture,
            "folder": choice.contestant.facts["folder"],
            "sentence": choice.sentence,
        },
        "learning_curve": _curve(recipe, run, scoreboard, distilled),
        "data": _counts(recipe, run),
    }
    write_json(run.scores, scores)


def scoreboard_of(recipe: Recipe, run: RunFolder) -> Scoreboard:
    """Teacher and students on the test set, by the files of a finished run.

    Raises:
        DataError: One of the files is missing or broken.
    """
    test = list(read_examples(run.test))
    teacher = heard_from(recipe, run, {example.id for example in test}).contestant(test)
    return _scoreboard(recipe, test, teacher, _students(recipe, run))


def _scoreboard(
    recipe: Recipe, test: Sequence[Example], teacher: Contestant | None, students: Sequence[Contestant]
) -> Scoreboard:
    contestants = [*([teacher] if teacher else []), *students]
    gold = [example.target for example in test if example.target is not None]
    return Scoreboard(recipe.task.build(), gold, [example.text for example in test], contestants)


def _students(recipe: Recipe, run: RunFolder) -> list[Contestant]:
    by_name: dict[str, list[Arm]] = {}
    for arm in comparison_arms(recipe):
        by_name.setdefault(arm.name, []).append(arm)
    return [_student(arms, run) for arms in by_name.values()]


def _student(arms: Sequence[Arm], run: RunFolder) -> Contestant:
    """All seeds of one student on one mixture as one row."""
    records = [read_json(arm.record(run)) for arm in arms]
    speed = read_json(arms[0].speed(run))
    facts = {
        "latency_ms": {"p50": speed["p50"], "p95": speed["p95"]},
        "throughput": speed["throughput"],
        "size_bytes": records[0]["size_bytes"],
        "parameters": records[0]["parameters"],
        "train_seconds": fmean(record["train_seconds"] for record in records),
        "steps": records[0]["steps"],
        "folder": arms[0].folder(run).relative_to(run.path).as_posix(),
    }
    return Contestant(
        student=arms[0].spec.name,
        mixture=arms[0].mixture,
        predictions=[_read(arm, run) for arm in arms],
        control=arms[0].control,
        facts=facts,
    )


def _read(arm: Arm, run: RunFolder) -> list[Prediction]:
    return [Prediction.from_json(row) for _, row in read_rows(arm.answers(run))]


def _side_by_side(test: Sequence[Example], teacher: Contestant | None, students: Sequence[Contestant]) -> Any:
    """One JSON object for each test text: the right answer, the teacher's, and the first seed of every student's."""
    for place, example in enumerate(test):
        yield {
            "id": example.id,
            "text": example.text,
            "gold": example.to_json()["target"],
            "teacher": teacher.predictions[0][place].to_json() if teacher else None,
            "predictions": {student.name: student.predictions[0][place].to_json() for student in students},
        }


def _unusable(teacher: Contestant) -> int:
    """On how many test texts the teacher's reply was no valid answer, which is scored as wrong."""
    return sum(answer.target is None for answer in teacher.predictions[0])


def _curve(recipe: Recipe, run: RunFolder, scoreboard: Scoreboard, distilled: int) -> dict[str, Any] | None:
    arms = curve_arms(recipe, distilled)
    if len(arms) < 2:
        return None
    metric = scoreboard.task.headline
    scores = {
        size: scoreboard.distributions([_read(arm, run) for arm in at_size])[metric] for size, at_size in arms.items()
    }
    first = next(iter(arms.values()))[0]
    return {
        "student": first.spec.name,
        "mixture": first.mixture,
        "metric": metric,
        **learning_curve(scores, first.spec.name, metric),
    }


def _counts(recipe: Recipe, run: RunFolder) -> dict[str, Any]:
    """How many rows there were at each step."""
    inputs = Counter(example.source for example in read_examples(run.inputs))
    train = Counter(example.source == "gold" for example in read_examples(run.train))
    asked = sum(1 for example in read_examples(run.taught) if "reply" in example.meta or not is_rejected(example))
    return {
        "pool": inputs["pool"],
        "gold": inputs["gold"],
        "test": inputs["test"],
        "asked": asked,
        "distilled": train[False],
        "train_gold": train[True],
        "validation": sum(1 for _ in read_examples(run.validation)),
        "rejected": rejections(run),
        "note": recipe.data.note,
    }
