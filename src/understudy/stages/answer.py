"""What every trained arm says of the test texts, and how fast it says it."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial

from understudy.data.files import read_examples, write_json, write_records
from understudy.evaluation.speed import measure_speed
from understudy.progress import Progress
from understudy.run_folder import RunFolder
from understudy.stages.arms import Arm
from understudy.stages.side_by_side import side_by_side
from understudy.students.student import load


def answer_arms(arms: Sequence[Arm], run: RunFolder, progress: Progress, jobs: int = 1) -> None:
    """Have every arm answer the test set, from its folder as it was saved, and time them, one at a time."""
    timed = [arm for arm in arms if arm.timed]
    with progress.bar("evaluate", len(arms) + len(timed)) as bar:
        for work, some, at_once in ((_answer, arms, jobs), (_time, timed, 1)):
            for _ in side_by_side(partial(work, run=RunFolder(run.path)), some, at_once, progress):
                bar.advance()


def _answer(arm: Arm, progress: Progress, run: RunFolder) -> bool:
    def answer() -> None:
        test = list(read_examples(run.test))
        answers = load(arm.folder(run)).predict([example.text for example in test])
        rows = zip(test, answers, strict=True)
        write_records(arm.answers(run), ({"id": example.id, **given.to_json()} for example, given in rows))

    inputs = {"fit": arm.record(run), "test": run.test}
    return replace(run, progress=progress).make(arm.answers(run), inputs, answer)


def _time(arm: Arm, progress: Progress, run: RunFolder) -> bool:
    """How fast a student is, which is the same for all its seeds; where nothing else is at work."""

    def time() -> None:
        texts = [example.text for example in read_examples(run.test)]
        write_json(arm.speed(run), asdict(measure_speed(load(arm.folder(run)), texts)))

    inputs = {"fit": arm.record(run), "test": run.test}
    return replace(run, progress=progress).make(arm.speed(run), inputs, time)
