import itertools
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.teacher.fake_endpoint import Act, FakeEndpoint, answers, fails
from tests.teacher.support import TASK, Noted, interview, quick
from understudy.data.clean.rejection import is_rejected
from understudy.data.clean.spool import Spool
from understudy.errors import TeacherError
from understudy.example import Example, Span, Target
from understudy.tasks.classification import Classification
from understudy.tasks.ner import NER
from understudy.tasks.task import Task
from understudy.teacher.generation.attributes import Proposals
from understudy.teacher.generation.briefs import of_design
from understudy.teacher.generation.generator import Generator
from understudy.teacher.generation.self_check import Verdict, self_checked
from understudy.teacher.replies.store import ReplyStore
from understudy.teacher.teacher import Teacher


def row(text: str, target: Target | None = "sport", **meta: Any) -> Example:
    return Example(id=f"generated-{text}", text=text, target=target, source="generated", meta=meta)


def checked(
    folder: Path, fake: FakeEndpoint, generated: Iterable[Example], verdict: Verdict, task: Task = TASK
) -> list[Example]:
    channel = interview(ReplyStore(folder / "replies.jsonl"), quick(fake, concurrency=1))
    return list(self_checked(generated, Teacher(task=task, model="m", interview=channel), verdict, Noted(), 0))


def by_text(text: str) -> Act:
    reply = "I cannot say." if "vague" in text else json.dumps({"label": "politics" if "law" in text else "sport"})
    return answers(reply, usage=(50, 5))


def test_a_text_that_the_teacher_answers_alike_is_kept(tmp_path: Path) -> None:
    before = row("goal", usage={"prompt_tokens": 100, "completion_tokens": 20}, reply="written")
    with FakeEndpoint(respond=by_text) as fake:
        [found] = checked(tmp_path, fake, [before], "drop")
        assert fake.texts() == ["goal"], "asked as of any other text, without the target"
    assert (found.id, found.target, found.source) == ("generated-goal", "sport", "generated")
    assert found.meta == {
        "replies": 2,
        "usage": {"prompt_tokens": 150, "completion_tokens": 25},
        "reply": "written",
        "self_check": "kept",
        "self_check_reply": '{"label": "sport"}',
    }


def test_a_text_that_the_teacher_answers_otherwise_is_left_out_with_the_reason(tmp_path: Path) -> None:
    with FakeEndpoint(respond=by_text) as fake:
        found = checked(tmp_path, fake, [row("goal"), row("law"), row("goal 2")], "drop")
    assert [is_rejected(each) for each in found] == [False, True, False]
    assert found[1].target is None
    assert found[1].meta["rejected"] == "self-check: the teacher itself answers 'politics'"
    assert found[1].meta["written_for"] == "sport"


def test_or_takes_the_teachers_answer(tmp_path: Path) -> None:
    with FakeEndpoint(respond=by_text) as fake:
        [found] = checked(tmp_path, fake, [row("law")], "correct")
    assert found.target == "politics"
    assert (found.meta["self_check"], found.meta["written_for"]) == ("corrected", "sport")
    assert not is_rejected(found)


def test_a_text_without_a_target_takes_the_teachers_answer(tmp_path: Path) -> None:
    with FakeEndpoint(respond=by_text) as fake:
        [found] = checked(tmp_path, fake, [row("law", None)], "drop")
    assert (found.target, found.meta["self_check"]) == ("politics", "kept")


def test_a_text_that_the_teacher_cannot_answer_is_left_out(tmp_path: Path) -> None:
    with FakeEndpoint(respond=lambda text: by_text("vague" if "goal" not in text else text)) as fake:
        _, found = checked(tmp_path, fake, [row("goal"), row("vague")], "correct")
    assert found.target is None
    assert found.meta["rejected"].startswith("self-check: no answer (not an answer: not JSON")
    assert "unanswered" not in found.meta


def test_where_the_answer_may_still_come_the_row_says_so(tmp_path: Path) -> None:
    replies = {"goal": by_text("goal"), "law": fails(500)}
    with FakeEndpoint(respond=lambda text: replies[text]) as fake:
        _, found = checked(tmp_path, fake, [row("goal"), row("law")], "drop")
    assert found.meta["unanswered"]
    assert "self-check: no answer" in found.meta["rejected"]


def test_what_was_rejected_before_is_not_asked_about_and_stays(tmp_path: Path) -> None:
    rows = [row("bad", None, rejected="empty"), row("goal"), row("worse", None, rejected="empty")]
    with FakeEndpoint(respond=by_text) as fake:
        found = checked(tmp_path, fake, iter(rows), "drop")
        assert fake.texts() == ["goal"]
        assert checked(tmp_path, fake, rows[:1], "drop") == rows[:1]
    assert [each.id for each in found] == [each.id for each in rows]
    assert (found[0], found[2]) == (rows[0], rows[2])


def test_entities_are_named_in_the_reason(tmp_path: Path) -> None:
    task = NER(types=["PER", "LOC"])
    reply = answers('{"entities": [{"text": "Ann", "type": "PER"}, {"text": "Bonn", "type": "LOC"}]}')
    with FakeEndpoint(respond=lambda _: reply) as fake:
        [found] = checked(tmp_path, fake, [row("Ann left Bonn.", (Span(0, 3, "PER"),))], "drop", task)
    assert found.meta["rejected"] == "self-check: the teacher itself answers 'Ann (PER), Bonn (LOC)'"
    assert found.meta["written_for"] == [{"start": 0, "end": 3, "type": "PER"}]


def test_a_teacher_that_answers_nothing_is_told(tmp_path: Path) -> None:
    with FakeEndpoint(respond=lambda _: fails(500)) as fake, pytest.raises(TeacherError):
        checked(tmp_path, fake, [row("goal"), row("law")], "drop")


def test_texts_come_from_nothing_but_a_description(tmp_path: Path) -> None:
    """The whole way: the teacher proposes what texts differ in, writes them, and reads them again."""
    task = Classification(labels=["sport", "politics"])
    numbers = itertools.count(1)

    def respond(asked: str) -> Act:
        if asked.startswith("Which attributes"):
            return answers('{"attributes": [{"name": "length", "values": ["short", "long"]}]}')
        if "attribute: subtopic" in asked:
            return answers('{"values": ["elections", "matches"]}')
        if "label: " in asked:
            label = "politics" if "label: politics" in asked else "sport"
            return answers(json.dumps({"text": f"text {next(numbers)} on {label}"}))
        return answers(json.dumps({"label": "sport"}))

    with FakeEndpoint(respond=respond) as fake:
        channel = interview(ReplyStore(tmp_path / "replies.jsonl"), quick(fake, concurrency=1))
        given: dict[str, Any] = {"task": task, "model": "m", "interview": channel}
        attributes = Proposals(**given).find().attributes
        by = Generator(**given, briefs=lambda: of_design(attributes, task.labels, 8, 0))
        with Spool(by.generate(Noted())) as generated:
            found = list(self_checked(generated, Teacher(**given), "drop", Noted(), by.total))
        assert len(fake.requests) == 1 + 2 + 8 + 8
    assert [is_rejected(each) for each in found] == ["politics" in each.text for each in found]
    assert Counter(each.target for each in found) == {"sport": 4, None: 4}
    assert Counter(each.meta["attributes"]["length"] for each in found) == {"short": 4, "long": 4}
