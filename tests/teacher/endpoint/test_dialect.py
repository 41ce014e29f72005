import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.teacher.fake_endpoint import Act, FakeEndpoint, answers, fails, label
from tests.teacher.support import TASK, Noted, annotate, quick, rows
from understudy.example import Example
from understudy.teacher.endpoint.client import Client
from understudy.teacher.endpoint.dialect import Dialect, Dialects
from understudy.teacher.interview import Interview
from understudy.teacher.replies.store import ReplyStore
from understudy.teacher.request import Sampling, request_body
from understudy.teacher.teacher import Manner, Teacher

Wire = dict[str, Any]
FULL = request_body("m", TASK.messages("text"), TASK.reply_schema, Sampling(0.5, 3, logprobs=True))
CONCESSIONS = ["json_object", "text", "max_completion_tokens", "no_temperature", "no_seed", "no_logprobs"]


class Picky(FakeEndpoint):
    """Refuses requests by their whole body, and answers the others."""

    def __init__(self, refuse: Callable[[Wire], Act | None]) -> None:
        super().__init__(respond=lambda text: refuse(self.requests[-1]) or label("sport"))


def form(wire: Wire) -> str:
    found: str = wire.get("response_format", {}).get("type", "text")
    return found


def without_schema(status: int, message: str) -> Callable[[Wire], Act | None]:
    return lambda wire: fails(status, message) if form(wire) == "json_schema" else None


def without_format(status: int, message: str) -> Callable[[Wire], Act | None]:
    return lambda wire: fails(status, message) if "response_format" in wire else None


def without(name: str, message: str) -> Callable[[Wire], Act | None]:
    return lambda wire: fails(400, message) if name in wire else None


def teacher(fake: FakeEndpoint, folder: Path, told: Noted | None = None, **settings: Any) -> Teacher:
    """A teacher as a recipe makes it: the store, and beside it what is remembered of the endpoint."""
    endpoint = quick(fake, **{"structure": "auto", "max_tokens": 64, "concurrency": 1, **settings})
    dialects = Dialects(folder / "dialects.json", "here m")
    say = (told or Noted()).say
    asked = Interview(ReplyStore(folder / "replies.jsonl"), lambda: Client(endpoint, None, dialects, say))
    manner = Manner(temperature=0.5, soft="logprobs")
    return Teacher(task=TASK, model="m", interview=asked, manner=manner)


def targets(done: list[Example]) -> list[Any]:
    return [row.target for row in done]


@pytest.mark.parametrize(
    ("refuse", "refusals", "spoken"),
    [
        (without_schema(400, "response_format json_schema is not supported"), 1, ["json_object"]),
        (without_schema(422, "unknown variant `json_schema`"), 1, ["json_object"]),
        (without_schema(400, ""), 1, ["json_object"]),
        (without_format(400, "response_format: extra fields not permitted"), 2, ["json_object", "text"]),
        (without_format(400, "bad request"), 2, ["json_object", "text"]),
        (
            without("max_tokens", "'max_tokens' is not supported. Use 'max_completion_tokens' instead."),
            1,
            ["max_completion_tokens"],
        ),
        (without("temperature", "Unsupported value: 'temperature' does not support 0.5"), 1, ["no_temperature"]),
        (without("seed", "seed is no parameter"), 0, []),
        (without("logprobs", "logprobs are not supported with this model"), 1, ["no_logprobs"]),
    ],
)
def test_an_endpoint_is_asked_as_it_will_have_it_and_only_the_first_request_is_refused(
    tmp_path: Path, refuse: Callable[[Wire], Act | None], refusals: int, spoken: list[str]
) -> None:
    told = Noted()
    with Picky(refuse) as fake:
        assert targets(annotate(teacher(fake, tmp_path, told), rows("a", "b", "c"))) == ["sport"] * 3
        assert len(fake.requests) == 3 + refusals
        assert json.loads((tmp_path / "dialects.json").read_text()) == {"here m": spoken}
        assert len(told.lines) == len(spoken)
        assert all(fake.base_url in line for line in told.lines)
        # the next process knows
        assert targets(annotate(teacher(fake, tmp_path, told), rows("a", "b", "c", "d"))) == ["sport"] * 4
        assert len(fake.requests) == 4 + refusals
        assert len(told.lines) == len(spoken)


def test_an_endpoint_may_refuse_one_thing_after_the_other(tmp_path: Path) -> None:
    refused = [
        ("max_tokens", without("max_tokens", "max_tokens?")),
        ("temperature", without("temperature", "temperature?")),
        ("logprobs", without("logprobs", "logprobs?")),
        ("response_format", without_format(400, "response_format?")),
    ]

    def refuse(wire: Wire) -> Act | None:
        return next((act for _, find in refused if (act := find(wire)) is not None), None)

    with Picky(refuse) as fake:
        assert targets(annotate(teacher(fake, tmp_path), rows("a", "b"))) == ["sport"] * 2
        assert len(fake.requests) == 5 + 2
        assert not {name for name, _ in refused} & set(fake.requests[-1])
        assert fake.requests[-1]["max_completion_tokens"] == 64


def test_many_requests_that_are_refused_together_settle_on_one_dialect(tmp_path: Path) -> None:
    told = Noted()
    with Picky(without_format(400, "response_format")) as fake:
        done = annotate(teacher(fake, tmp_path, told, concurrency=16), rows(*map(str, range(40))))
        assert targets(done) == ["sport"] * 40
        assert len(fake.requests) <= 40 + 2 * 16
    assert len(told.lines) == 2


@pytest.mark.parametrize("first", [True, False])
def test_a_text_that_is_refused_changes_nothing_for_the_others(tmp_path: Path, first: bool) -> None:
    def refuse(wire: Wire) -> Act | None:
        filtered = "bad" in wire["messages"][-1]["content"]
        return fails(400, "The prompt was filtered by the content management policy") if filtered else None

    texts = ["bad", "good", "fine"] if first else ["good", "bad", "fine"]
    with Picky(refuse) as fake:
        done = annotate(teacher(fake, tmp_path), rows(*texts))
        assert sum("bad" in text for text in fake.texts()) == (3 if first else 1)
        assert {form(wire) for wire in fake.requests if "bad" not in wire["messages"][-1]["content"]} == {"json_schema"}
    assert sorted(map(str, targets(done))) == ["None", "sport", "sport"]
    assert "400: The prompt was filtered" in done[texts.index("bad")].meta["rejected"]
    assert json.loads((tmp_path / "dialects.json").read_text()) == {"here m": []}


@pytest.mark.parametrize("structure", ["json_schema", "json_object", "text"])
def test_a_structure_that_the_recipe_names_is_kept_to(tmp_path: Path, structure: str) -> None:
    with Picky(lambda wire: None) as fake:
        annotate(teacher(fake, tmp_path, structure=structure), rows("a"))
        assert [form(wire) for wire in fake.requests] == [structure]
    assert not (tmp_path / "dialects.json").exists()


def test_a_structure_that_the_recipe_names_and_the_endpoint_refuses_is_told(tmp_path: Path) -> None:
    with Picky(without_schema(400, "no json_schema here")) as fake:
        done = annotate(teacher(fake, tmp_path, structure="json_object"), rows("ok"))
        assert targets(done) == ["sport"]
        done = annotate(teacher(fake, tmp_path, structure="json_schema"), rows("ok", "other"))
        assert [form(wire) for wire in fake.requests] == ["json_object", "json_schema"]
    assert "400: no json_schema here" in done[1].meta["rejected"]


def test_other_concessions_are_made_whatever_the_structure(tmp_path: Path) -> None:
    with Picky(without("temperature", "no temperature")) as fake:
        assert targets(annotate(teacher(fake, tmp_path, structure="json_schema"), rows("a"))) == ["sport"]
        assert form(fake.requests[-1]) == "json_schema"


def test_what_was_answered_in_one_dialect_is_never_asked_again_in_another(tmp_path: Path) -> None:
    texts = ["a", "b", "c"]
    with Picky(without_format(400, "response_format")) as fake:
        first = annotate(teacher(fake, tmp_path), rows(*texts))
        asked = len(fake.requests)
        for structure in ("auto", "json_schema", "json_object", "text"):
            again = annotate(teacher(fake, tmp_path, structure=structure, max_tokens=99), rows(*texts))
            assert again == first
        assert len(fake.requests) == asked


@pytest.mark.parametrize("broken", ["", "[1]", '{"here m": 7}', '{"here m": [["x"], {}, null, "nonsense"]}', "\ufffd{"])
def test_a_broken_memory_is_no_memory(tmp_path: Path, broken: str) -> None:
    (tmp_path / "dialects.json").write_text(broken)
    with Picky(without_schema(400, "json_schema")) as fake:
        assert targets(annotate(teacher(fake, tmp_path), rows("a"))) == ["sport"]
    assert json.loads((tmp_path / "dialects.json").read_text()) == {"here m": ["json_object"]}


def test_what_is_remembered_of_others_stays(tmp_path: Path) -> None:
    path = tmp_path / "dialects.json"
    Dialects(path, "one").keep(Dialect(("no_seed",)))
    Dialects(path, "two").keep(Dialect(("no_temperature",)))
    assert Dialects(path, "one").known() == Dialect(("no_seed",))
    assert Dialects(path, "three").known() is None


def test_where_nothing_can_be_remembered_it_is_found_out_anew(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    dialects = Dialects(tmp_path / "file" / "dialects.json", "here")
    dialects.keep(Dialect(("no_seed",)))
    assert dialects.known() is None


IGNORANT = {
    "prose": "I would say that this is about sport.",
    "fenced": '```json\n{"label": "sport"}\n```',
    "trailing prose": '{"label": "sport"}\n\nI chose it since a match is mentioned.',
    "another language": '{"label": "Sportnachrichten"}',
    "empty": "",
    "another schema": '{"category": "sport"}',
    "a list": '[{"label": "sport"}]',
    "two objects": '{"label": "sport"}{"label": "politics"}',
    "a number": '{"label": 1}',
    "thoughts without end": '<think>Let me see. {"label": "sport"}',
}


@pytest.mark.parametrize("content", IGNORANT.values(), ids=IGNORANT.keys())
def test_an_endpoint_that_ignores_the_schema_is_told_what_was_wrong_and_then_believed_or_not(
    tmp_path: Path, content: str
) -> None:
    odd = answers(content, usage=(100, 5))
    with FakeEndpoint(odd, label("politics"), odd, odd) as fake:
        [first] = annotate(teacher(fake, tmp_path), rows("a"))
        [second] = annotate(teacher(fake, tmp_path), rows("b"))
        assert len(fake.requests) == 4
        for again in fake.requests[1::2]:
            *_, said, correction = again["messages"]
            assert content in {said["content"], ""}
            assert correction["content"].startswith("That reply cannot be used: ")
    assert first.target == "politics"
    assert first.meta["replies"] == 2
    assert second.target is None
    assert second.meta["reply"] == content
    assert second.meta["rejected"].endswith("(asked twice)")


BODIES = st.fixed_dictionaries(
    {"model": st.text(max_size=5), "messages": st.just([{"role": "user", "content": "text"}])},
    optional={
        "response_format": st.sampled_from([{"type": "json_schema"}, {"type": "json_object"}, {}]),
        "temperature": st.floats(0, 2),
        "seed": st.integers(),
        "logprobs": st.just(True),
        "top_logprobs": st.integers(0, 20),
        "max_tokens": st.integers(1, 100),
    },
)


@given(
    body=BODIES,
    concessions=st.lists(st.sampled_from(CONCESSIONS), unique=True).map(tuple),
    limit=st.none() | st.integers(1, 9),
)
def test_a_dialect_changes_how_something_is_asked_and_never_what(
    body: Wire, concessions: tuple[str, ...], limit: int | None
) -> None:
    before = json.dumps(body)
    wire = Dialect(concessions).spoken(body, limit)
    assert json.dumps(body) == before
    assert (wire["model"], wire["messages"]) == (body["model"], body["messages"])
    assert set(wire) <= set(body) | {"max_tokens", "max_completion_tokens"}
    assert not ("max_tokens" in wire and "max_completion_tokens" in wire)
    assert ("max_tokens" in body or limit is not None) == ("max_tokens" in wire or "max_completion_tokens" in wire)
    assert Dialect(concessions).spoken(wire) == wire
    assert Dialect().spoken(body) == body


@given(refusals=st.lists(st.text() | st.sampled_from(["response_format", "max_tokens", "seed"]), max_size=12))
def test_concessions_come_to_an_end(refusals: list[str]) -> None:
    dialect, made = Dialect(), 0
    for refusal in refusals * 3:
        further = dialect.after(refusal, dialect.spoken(FULL, 9), proven=False)
        if further is not None:
            assert further.concessions[:-1] == dialect.concessions
            dialect, made = further, made + 1
    assert made <= len(CONCESSIONS)
    assert len(dialect.notices) == made


def test_a_proven_dialect_concedes_only_what_is_named() -> None:
    assert Dialect().after("invalid request", FULL, proven=True) is None
    assert Dialect().after("no seed", FULL, proven=True) == Dialect(("no_seed",))
    assert Dialect().after("response_format", FULL, proven=True, structured=True) is None


@given(st.recursive(st.none() | st.text() | st.floats() | st.sampled_from(CONCESSIONS), st.lists))
def test_any_memory_is_a_dialect(value: Any) -> None:
    dialect = Dialect.from_json(value)
    assert set(dialect.concessions) <= set(CONCESSIONS)
    assert dialect.spoken(FULL)["messages"] == FULL["messages"]
