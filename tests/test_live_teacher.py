"""A live endpoint teaches through the same code as a recording; a real HTTP server answers here."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import understudy as us
from tests.newswire import recorded_labels, rows, stamps, write_recipe, write_rows
from tests.teacher.fake_endpoint import Act, FakeEndpoint, fails, label
from tests.teacher.support import Noted
from understudy.errors import TeacherError
from understudy.pipeline import Run
from understudy.run_folder import RunFolder

KEY = "sk-test-0123456789abcdefghij"


def run(recipe: Path) -> Run:
    return us.run(recipe, out=recipe.parent / "run")


def answering(by_text: dict[str, str]) -> Callable[[str], Act]:
    return lambda text: label(by_text.get(text, "sport"))


@pytest.fixture
def by_text(small: Path) -> dict[str, str]:
    """What the recorded teacher answers to the texts of the slice."""
    named = recorded_labels()
    texts = [*rows(small.parent / "pool.jsonl"), *rows(small.parent / "test.jsonl")]
    return {row["text"]: named[row["id"]] for row in texts}


def live(folder: Path, base_url: str, **changed: Any) -> Path:
    teacher = {"replies": None, "base_url": base_url, "api_key_env": "TEST_TEACHER_KEY", "max_attempts": 1}
    return write_recipe(folder, seeds=1, **{"teacher": {**teacher, **changed.pop("teacher", {})}, **changed})


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_TEACHER_KEY", KEY)


def test_a_live_endpoint_teaches_as_its_recording_does(small: Path, by_text: dict[str, str]) -> None:
    recorded = run(small).scores
    with FakeEndpoint(respond=answering(by_text)) as fake:
        recipe = live(small.parent, fake.base_url, teacher={"price": {"input": 1.0, "output": 10.0}})
        done = us.run(recipe, out=small.parent / "live")
        assert sorted(fake.texts()) == sorted(by_text)
        assert {headers["Authorization"] for headers in fake.headers} == {f"Bearer {KEY}"}
        assert not us.run(recipe, out=small.parent / "live").worked
        shutil.rmtree(small.parent / "live")
        us.run(recipe, out=small.parent / "live")  # the replies are kept elsewhere
        assert len(fake.requests) == 48
    assert done.scores["comparisons"] == recorded["comparisons"]
    teacher = done.scores["teacher"]
    assert (teacher["requests"], teacher["tokens"]) == (48, {"input": 4800, "output": 240})
    assert teacher["cost_usd"] == pytest.approx((4800 * 1.0 + 240 * 10.0) / 1e6)
    row = done.scores["rows"][0]
    assert 0 < row["latency_ms"]["p50"] <= row["latency_ms"]["p95"]


def test_texts_that_the_endpoint_failed_on_are_asked_again_by_the_next_run(
    small: Path, by_text: dict[str, str]
) -> None:
    pool = rows(small.parent / "pool.jsonl")
    lost = {row["text"] for row in pool[3:6]}
    with FakeEndpoint(respond=lambda text: fails(500) if text in lost else label(by_text[text])) as fake:
        recipe, told = live(small.parent, fake.base_url, teacher={"concurrency": 1}), Noted()
        done = us.run(recipe, small.parent / "run", told)
        assert done.scores["data"]["distilled"] == 21
        assert "The teacher failed to answer 3 texts; the same command asks for them again." in told.lines
        asked = len(fake.requests)
        fake.respond = answering(by_text)
        done = us.run(recipe, small.parent / "run")
        assert set(fake.texts()[asked:]) == lost
        assert done.worked
        assert done.scores["data"]["distilled"] == 24
        assert not us.run(recipe, small.parent / "run").worked
        assert len(fake.requests) == asked + 3


@pytest.mark.parametrize(("status", "final"), [(400, True), (500, False)])
def test_a_bad_reply_is_final_unless_its_correction_may_still_come(
    small: Path, by_text: dict[str, str], status: int, final: bool
) -> None:
    by_text[rows(small.parent / "pool.jsonl")[3]["text"]] = "sports"

    def respond(text: str) -> Act:
        return fails(status) if text.startswith("That reply cannot be used") else label(by_text[text])

    with FakeEndpoint(respond=respond) as fake:
        recipe = live(small.parent, fake.base_url, teacher={"concurrency": 1})
        assert us.run(recipe, small.parent / "run").scores["data"]["distilled"] == 23
        asked = len(fake.requests)
        assert us.run(recipe, small.parent / "run").worked is not final
        assert len(fake.requests) == asked + (0 if final else 1)


def test_replies_are_kept_under_runs_in_the_working_directory_wherever_the_run_lives(
    small: Path, by_text: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small.parent)
    with FakeEndpoint(respond=answering(by_text)) as fake:
        recipe = live(small.parent, fake.base_url, teacher={"store": None})
        us.run(recipe, "elsewhere/deep/run")
        us.run(recipe, "another")
        assert len(fake.requests) == 48
    assert len(rows(small.parent / "runs" / "replies.jsonl")) == 48


def test_the_key_is_in_no_file(small: Path, by_text: dict[str, str]) -> None:
    with FakeEndpoint(respond=answering(by_text)) as fake:
        done = run(live(small.parent, fake.base_url))
    files = [path for path in small.parent.rglob("*") if path.is_file()]
    assert done.path / "6-scores.json" in files
    assert small.parent / "replies.jsonl" in files
    assert not [path for path in files if KEY.encode() in path.read_bytes()]


def test_rejected_replies_are_kept_with_their_reason_and_raw_text(small: Path, by_text: dict[str, str]) -> None:
    pool = rows(small.parent / "pool.jsonl")
    refused, mistaken = pool[3], pool[5]
    by_text[mistaken["text"]] = "sports"
    silent = Act(
        body=b'{"choices": [{"message": {"role": "assistant", "content": null, "refusal": "I would rather not"}}]}'
    )

    def respond(text: str) -> Act:
        if text == refused["text"]:
            return silent
        if text.startswith("That reply cannot be used"):
            return label("sports")
        return label(by_text[text])

    with FakeEndpoint(respond=respond) as fake:
        done = run(live(small.parent, fake.base_url, teacher={"concurrency": 1}))
    rejected = {row["id"]: row["meta"] for row in rows(RunFolder(done.path).rejected)}
    assert set(rejected) == {refused["id"], mistaken["id"]}
    assert "unknown label 'sports'; did you mean 'sport'?" in rejected[mistaken["id"]]["rejected"]
    assert rejected[mistaken["id"]]["reply"] == '{"label": "sports"}'
    assert sum(done.scores["data"]["rejected"].values()) == 2
    assert done.scores["data"]["distilled"] == 22
    assert "did you mean" in done.report.read_text()


def test_long_and_repeated_texts_are_not_paid_for(small: Path, by_text: dict[str, str]) -> None:
    pool = rows(small.parent / "pool.jsonl")
    long, again = {"id": "long", "text": "x" * 3000}, {"id": "again", "text": pool[0]["text"] + "  "}
    write_rows(small.parent / "pool.jsonl", [*pool, long, again])
    with FakeEndpoint(respond=answering(by_text)) as fake:
        done = run(live(small.parent, fake.base_url))
        assert sorted(fake.texts()) == sorted(by_text)
    assert done.scores["data"]["rejected"] == {"too long": 1, "duplicate": 1}
    assert done.scores["data"]["asked"] == 48


def test_a_further_text_is_the_only_one_asked_about(small: Path, by_text: dict[str, str]) -> None:
    with FakeEndpoint(respond=answering(by_text)) as fake:
        recipe = live(small.parent, fake.base_url)
        run(recipe)
        asked = len(fake.requests)
        pool = rows(small.parent / "pool.jsonl")
        write_rows(small.parent / "pool.jsonl", [*pool, {"id": "new", "text": "A goal."}])
        assert run(recipe).scores["data"]["pool"] == 25
        assert fake.texts()[asked:] == ["A goal."]


def test_an_endpoint_that_breaks_off_is_asked_only_for_the_rest(small: Path, by_text: dict[str, str]) -> None:
    with FakeEndpoint(respond=answering(by_text)) as fake:
        recipe = live(small.parent, fake.base_url, teacher={"concurrency": 1})
        fake.script.extend([label("sport")] * 10 + [Act(status=401, body=b'{"error": {"message": "expired"}}')])
        with pytest.raises(TeacherError, match="401: expired"):
            run(recipe)
        assert not RunFolder(small.parent / "run").taught.exists()
        run(recipe)
        assert len(fake.requests) == 48 + 1


def test_check_spends_nothing_and_writes_nothing(small: Path) -> None:
    with FakeEndpoint() as fake:
        recipe = live(small.parent, fake.base_url, teacher={"price": {"input": 1.0, "output": 10.0}})
        before = stamps(small.parent)
        plan = us.check(recipe)
        assert fake.requests == []
    assert stamps(small.parent) == before
    assert not (small.parent / "run").exists()
    assert plan.rows == {"gold": 24, "pool": 24, "test": 24}
    assert (plan.forecast.rows, plan.forecast.cached, plan.forecast.to_ask) == (48, 0, 48)
    assert plan.cost_usd is not None
    assert plan.cost_usd > 0
    assert plan.arms == {"linear/gold": 1, "linear/distilled": 1}


def test_check_knows_what_is_recorded(small: Path) -> None:
    plan = us.check(small)
    assert (plan.forecast.cached, plan.forecast.to_ask, plan.skipped) == (48, 0, 0)


def test_check_tells_a_missing_key(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_TEACHER_KEY")
    with pytest.raises(TeacherError, match="environment variable TEST_TEACHER_KEY is not set"):
        us.check(live(small.parent, "http://localhost:1/v1"))
