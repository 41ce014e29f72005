import threading
import traceback
from pathlib import Path
from typing import Any

import pytest

from tests.newswire import recorded_labels, rows, write_recipe, write_rows, write_slice
from tests.stages.support import Desk, prepared
from tests.teacher.fake_endpoint import Act, FakeEndpoint, answers
from tests.teacher.support import Noted
from understudy import pipeline
from understudy.data.files import read_examples
from understudy.errors import DataError, TeacherError
from understudy.recipe import Recipe
from understudy.run_folder import RunFolder
from understudy.stages.clean import clean
from understudy.stages.gather import gather, read_sources
from understudy.stages.teach import askable, teach, who_answers
from understudy.teacher.replies.archive import Selection, prune


def test_the_teacher_is_asked_about_pool_and_test_and_never_about_gold(tmp_path: Path) -> None:
    _, run = prepared(tmp_path)
    given = {example.id for example in read_examples(run.inputs) if example.source != "gold"}
    taught = list(read_examples(run.taught))
    assert {example.id for example in taught} == given
    assert all(example.source == "annotated" and "reply" in example.meta for example in taught)


def test_texts_not_worth_asking_about_are_rejected_with_the_reason(tmp_path: Path) -> None:
    recipe = Recipe.load(write_slice(tmp_path, per_desk=1, pool=12))
    pool = rows(tmp_path / "pool.jsonl")
    first = pool[0]
    again = {"id": "again", "text": f"  {first['text'].upper()}\n"}
    write_rows(tmp_path / "pool.jsonl", [*pool, {"id": "long", "text": "word " * 410}, again])
    run = RunFolder(tmp_path / "run")
    gather(recipe, run)
    asked = {example.id for example in askable(recipe, read_sources(recipe))}
    assert not asked & {"long", "again"}
    teach(recipe, run, Noted())
    clean(recipe, run, Noted())
    rejected = {example.id: example.meta for example in read_examples(run.rejected)}
    too_long = "too long (2,050 characters; expected fewer than clean.max_chars, 2,048)"
    assert rejected == {"long": {"rejected": too_long}, "again": {"rejected": "duplicate", "of": first["id"]}}
    assert len(list(read_examples(run.clean))) == 12


def test_a_recording_of_another_task_is_told_before_anything_is_kept(tmp_path: Path) -> None:
    labels = {"sport": "games", "other": "all else"}
    with pytest.raises(DataError, match="unknown label"):
        prepared(tmp_path / "a", task={"labels": labels})
    with pytest.raises(TeacherError, match="the model asked for is 'gpt-9', the recorded one 'claude'"):
        prepared(tmp_path / "b", teacher={"model": "gpt-9"})
    assert not RunFolder(tmp_path / "b" / "run").taught.exists()


def test_how_patiently_the_teacher_is_asked_does_not_make_it_answer_anew(tmp_path: Path) -> None:
    _, run = prepared(tmp_path)
    patient = Recipe.load(write_slice(tmp_path, per_desk=2, pool=24, teacher={"timeout": 5, "concurrency": 2}))
    assert not teach(patient, run, Noted())
    shorter = Recipe.load(write_slice(tmp_path, per_desk=2, pool=24, clean={"max_chars": 900}))
    assert teach(shorter, run, Noted())


def live(folder: Path, fake: FakeEndpoint, **teacher: Any) -> Path:
    write_slice(folder, per_desk=2, pool=24)
    settings = {"replies": None, "base_url": fake.base_url, "concurrency": 1, "max_attempts": 1, **teacher}
    return write_recipe(folder, seeds=1, teacher=settings)


def test_an_address_in_another_spelling_is_the_same_teacher(tmp_path: Path) -> None:
    with FakeEndpoint() as fake:
        plain = Recipe.load(live(tmp_path, fake))
        spelled = Recipe.load(live(tmp_path, fake, base_url=f"{fake.base_url.upper().replace('/V1', '/v1')}/"))
    assert plain.teacher.base_url != spelled.teacher.base_url
    assert who_answers(plain) == who_answers(spelled)


def test_what_was_cut_off_and_pruned_is_asked_again_once_replies_may_be_longer(tmp_path: Path) -> None:
    desk, run = Desk(), tmp_path / "run"
    with FakeEndpoint(respond=desk) as fake:
        path = live(tmp_path, fake, max_tokens=5)
        cut = rows(tmp_path / "pool.jsonl")[3]["text"]

        def short(asked: str) -> Act:
            is_cut = cut in [message["content"] for message in fake.requests[-1]["messages"]]
            return answers('{"label": "sp', finish="length") if is_cut else desk(asked)

        fake.respond = short
        assert pipeline.teach_only(path, run).rejected == {"truncated at the endpoint's token limit": 1}
        fake.respond = desk
        assert prune(tmp_path / "replies.jsonl", Selection(truncated=True))[1] == 2
        asked = len(fake.requests)
        assert pipeline.teach_only(path, run).rejected  # a finished run keeps what it has
        assert pipeline.teach_only(live(tmp_path, fake, max_tokens=50), run).rejected == {}
        assert len(fake.requests) == asked + 1


def test_reasons_that_differ_only_in_what_was_found_are_counted_as_one(tmp_path: Path) -> None:
    by_id = recorded_labels()
    with FakeEndpoint() as fake:
        path = live(tmp_path, fake)
        wrong = {row["text"] for row in rows(tmp_path / "pool.jsonl")[:5]}
        right = {row["text"]: by_id[row["id"]] for name in ("pool", "test") for row in rows(tmp_path / f"{name}.jsonl")}

        def respond(_: str) -> Act:
            text = next(m["content"] for m in fake.requests[-1]["messages"] if m["content"] in right)
            return answers(
                f'{{"label": "label {len(fake.requests)}"}}' if text in wrong else f'{{"label": "{right[text]}"}}'
            )

        fake.respond = respond
        assert pipeline.teach_only(path, tmp_path / "run").rejected == {"not an answer: unknown label …": 5}
        _, rejected, folder = pipeline.clean_only(path, tmp_path / "run")
    assert rejected == {"not an answer: unknown label …": 5}
    whole = [row["meta"]["rejected"] for row in rows(folder.rejected)]
    assert len(set(whole)) == 5
    assert all("unknown label 'label " in reason for reason in whole)


USAGE, LOGPROBS = "This endpoint reports no usage", "No reply came with log-probabilities"


@pytest.mark.parametrize(
    ("usage", "soft", "expected"),
    [((100, 20), None, []), (None, None, [USAGE]), ((100, 20), "logprobs", [LOGPROBS])],
)
def test_what_all_replies_lack_is_told_once(
    tmp_path: Path, usage: tuple[int, int] | None, soft: str | None, expected: list[str]
) -> None:
    desk, told = Desk(), Noted()
    with FakeEndpoint(respond=lambda asked: answers(desk.reply(asked), usage=usage)) as fake:
        path = live(tmp_path, fake)
        path.write_text(f"{path.read_text()}annotate: {{soft: {soft or 'null'}}}\n")
        for _ in range(2):
            pipeline.teach_only(path, tmp_path / "run", told)
    found = [line for line in told.lines if line.startswith((USAGE, LOGPROBS))]
    assert len(found) == len(expected)
    assert all(line.startswith(start) for line, start in zip(found, expected, strict=True))


def test_where_the_answers_cannot_be_written_nothing_goes_on_asking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: Path, examples: Any) -> None:
        for number, _example in enumerate(examples):
            if number == 3:
                raise OSError("no space left on device")

    monkeypatch.setattr("understudy.stages.teach.write_examples", full)
    with FakeEndpoint(respond=Desk()) as fake:
        path = live(tmp_path, fake)
        with pytest.raises(OSError, match="no space left") as kept:  # it holds on to all frames, as a notebook does
            pipeline.teach_only(path, tmp_path / "run")
        left = {thread.name for thread in threading.enumerate()}
        traceback.clear_frames(kept.tb)
        assert len(fake.requests) < 48
    assert "understudy-teacher" not in left
