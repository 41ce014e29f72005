"""How the recipe's `annotate` section reaches the teacher, and what comes of it in what it has taught."""

import json
import math
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

import understudy as us
from tests.newswire import LABELS, rows, stamps, write_recipe, write_rows, write_slice
from tests.stages.support import Desk
from tests.teacher.fake_endpoint import Act, FakeEndpoint, answers
from understudy import pipeline
from understudy.errors import DataError
from understudy.recipe import Recipe
from understudy.run_folder import RunFolder
from understudy.stages.gather import gather
from understudy.stages.split import split

Row = dict[str, Any]

STEPS = {"prompt": "classification-steps.v1"}
TEXTS = 24
"""How many texts the teacher is asked about: half of them pool, half test."""


def recipe(folder: Path, fake: FakeEndpoint, **changed: Any) -> Path:
    """A recipe over twenty-four gold texts and as many others, whose teacher is asked over HTTP."""
    live = {"replies": None, "base_url": fake.base_url, "max_attempts": 1, "structure": "json_schema"}
    write_slice(folder, per_desk=2, pool=TEXTS // 2)
    write_rows(folder / "test.jsonl", rows(folder / "test.jsonl")[: TEXTS // 2])
    return write_recipe(folder, seeds=1, teacher=live, **changed)


def taught(path: Path) -> list[Row]:
    """What the teacher says when it is asked as the recipe says."""
    run = path.parent / "run"
    pipeline.teach_only(path, run)
    return rows(run / "2-taught.jsonl")


def parted_gold(folder: Path) -> tuple[list[Row], list[Row]]:
    """The gold rows that students learn from, and those held out for validation."""
    pipeline.clean_only(folder / "recipe.yaml", folder / "run")
    split(Recipe.load(folder / "recipe.yaml"), RunFolder(folder / "run"))
    validation = {row["id"] for row in rows(folder / "run" / "4-validation.jsonl")}
    gold = rows(folder / "gold.jsonl")
    return [row for row in gold if row["id"] not in validation], [row for row in gold if row["id"] in validation]


# examples


@pytest.mark.parametrize("choose", ["fixed", "nearest"])
def test_the_teacher_is_shown_gold_with_its_answers_and_nothing_that_is_held_out(tmp_path: Path, choose: str) -> None:
    with FakeEndpoint(respond=Desk()) as fake:
        examples = {"count": 4, "choose": choose}
        taught(recipe(tmp_path, fake, annotate={"examples": examples}, data={"validation": 0.5}))
        learned, validation = parted_gold(tmp_path)
    assert len(fake.requests) == TEXTS
    assert len(learned) == len(validation) == 12
    exchanges = [request["messages"][1:-1] for request in fake.requests]
    right = {row["text"]: json.dumps({"label": row["desk"]}) for row in learned}
    assert all(len(messages) == 8 for messages in exchanges)
    for messages in exchanges:
        for shown, answer in zip(messages[::2], messages[1::2], strict=True):
            assert (shown["role"], answer["role"]) == ("user", "assistant")
            assert answer["content"] == right[shown["content"]]
    held_out = [row["text"] for row in [*validation, *rows(tmp_path / "test.jsonl")]]
    shown_to_all = json.dumps(exchanges, ensure_ascii=False)
    assert not any(json.dumps(text, ensure_ascii=False)[1:-1] in shown_to_all for text in held_out)
    different = {json.dumps(messages) for messages in exchanges}
    assert (len(different) == 1) is (choose == "fixed")


def test_the_nearest_examples_are_near(tmp_path: Path) -> None:
    with FakeEndpoint(respond=Desk()) as fake:
        path = recipe(tmp_path, fake, annotate={"examples": {"count": 1, "choose": "nearest"}}, data={"validation": 0})
        gold = rows(tmp_path / "gold.jsonl")
        text = gold[5]["text"].replace(".", ", it is said.", 1)
        write_rows(tmp_path / "pool.jsonl", [*rows(tmp_path / "pool.jsonl")[:3], {"id": "near", "text": text}])
        write_rows(tmp_path / "test.jsonl", rows(tmp_path / "test.jsonl")[:3])
        fake.respond = lambda _: answers('{"label": "sport"}')
        taught(path)
        [asked] = [request["messages"] for request in fake.requests if request["messages"][-1]["content"] == text]
    assert asked[1]["content"] == gold[5]["text"]


def test_gold_that_becomes_validation_is_no_longer_shown(tmp_path: Path) -> None:
    examples = {"annotate": {"examples": {"count": 5}}}
    with FakeEndpoint(respond=Desk()) as fake:
        taught(recipe(tmp_path, fake, **examples, data={"validation": 0.5, "seed": 0}))
        asked = len(fake.requests)
        taught(recipe(tmp_path, fake, **examples, data={"validation": 0.5, "seed": 1}))
        assert len(fake.requests) == 2 * asked == 2 * TEXTS
        taught(recipe(tmp_path, fake, data={"validation": 0.5, "seed": 1}))
        taught(recipe(tmp_path, fake, data={"validation": 0.5, "seed": 2}))  # without examples it is all the same
        assert len(fake.requests) == 3 * asked


def test_what_a_person_did_to_the_runs_gold_decides_what_is_shown(tmp_path: Path) -> None:
    with FakeEndpoint(respond=Desk()) as fake:
        path = recipe(tmp_path, fake, annotate={"examples": {"count": 24}}, data={"validation": 0.5})
        run = RunFolder(tmp_path / "run")
        gather(Recipe.load(path), run)
        given = rows(run.inputs)
        gold = [row for row in given if row["source"] == "gold"]
        write_rows(run.inputs, [row for row in given if row not in gold[:3]])
        taught(path)
        _, validation = parted_gold(tmp_path)
        shown = {message["content"] for request in fake.requests for message in request["messages"][1:-1]}
        assert {row["text"] for row in gold} & shown
        assert not {row["text"] for row in [*gold[:3], *validation]} & shown
        write_rows(run.inputs, [{**row, "target": "sports"} if row == gold[5] else row for row in given])
        with pytest.raises(DataError, match=rf"1-inputs\.jsonl: the row '{gold[5]['id']}': unknown label 'sports'"):
            taught(path)


# votes


def divided(fake: FakeEndpoint, desk: Desk) -> Act:
    """The third vote is for sport, whatever the text."""
    request = fake.requests[-1]
    return answers('{"label": "sport"}') if request["seed"] == 2 else desk(request["messages"][-1]["content"])


def test_several_votes_are_taken_and_told(tmp_path: Path) -> None:
    desk = Desk()
    with FakeEndpoint(respond=lambda _: divided(fake, desk)) as fake:
        found = taught(recipe(tmp_path, fake, annotate={"votes": 3, "soft": "votes"}))
        assert len(fake.requests) == 3 * TEXTS
        assert {request["temperature"] for request in fake.requests} == {0.7}
        assert len({(request["messages"][-1]["content"], request["seed"]) for request in fake.requests}) == 3 * TEXTS
    for row in found:
        assert row["target"] == desk.labels[row["text"]]
        shares = {"sport": 1.0} if row["target"] == "sport" else {row["target"]: 2 / 3, "sport": 1 / 3}
        assert row["soft"] == pytest.approx(shares)
        assert row["meta"]["agreement"] == pytest.approx(max(shares.values()), abs=1e-4)
        assert (row["meta"]["votes"], row["meta"]["valid"], len(row["meta"]["vote_replies"])) == (3, 3, 3)


@pytest.mark.usefixtures("hurried")
def test_a_student_that_learns_from_divided_votes_is_less_sure(tmp_path: Path) -> None:
    desk = Desk()

    def confidence(soft: str | None) -> float:
        folder = tmp_path / str(soft)
        path = recipe(folder, fake, annotate={"votes": 3, "soft": soft}, mixtures=["distilled"])
        done = us.run(path, folder / "run")
        train = rows(folder / "run" / "4-train.jsonl")
        assert all(("soft" in row) is (soft is not None) for row in train if row["source"] == "annotated")
        student = done.student("linear/distilled")
        learned = [row for row in train if row["source"] == "annotated" and row["target"] != "sport"]
        predictions = student.predict([row["text"] for row in learned])
        assert [prediction.target for prediction in predictions] == [row["target"] for row in learned]
        return fmean(prediction.confidence or 0.0 for prediction in predictions)

    with FakeEndpoint(respond=lambda _: divided(fake, desk)) as fake:
        assert confidence("votes") < 0.8 * confidence(None)


# log-probabilities


def with_logprobs(act: Act, chances: dict[str, float]) -> Act:
    """The completion with what the endpoint took into account in place of the label."""
    completion = json.loads(act.body)
    choice = completion["choices"][0]
    written = json.loads(choice["message"]["content"])["label"]
    alternatives = [{"token": label, "logprob": math.log(chance)} for label, chance in chances.items()]
    tokens = [
        {"token": '{"label": "', "logprob": 0.0},
        {"token": written, "logprob": math.log(chances[written]), "top_logprobs": alternatives},
        {"token": '"}', "logprob": 0.0},
    ]
    choice["logprobs"] = {"content": tokens}
    return replace(act, body=json.dumps(completion).encode())


def test_soft_labels_come_from_log_probabilities(tmp_path: Path) -> None:
    desk = Desk()

    def unsure(asked: str) -> Act:
        label = desk.labels[asked]
        return with_logprobs(desk(asked), {label: 0.75, "sport" if label != "sport" else "crime": 0.25})

    with FakeEndpoint(respond=unsure) as fake:
        found = taught(recipe(tmp_path, fake, annotate={"soft": "logprobs"}))
        assert {(request["logprobs"], request["top_logprobs"]) for request in fake.requests} == {(True, 10)}
    for row in found:
        other = "sport" if row["target"] != "sport" else "crime"
        assert row["soft"] == pytest.approx({row["target"]: 0.75, other: 0.25})


def test_an_endpoint_without_log_probabilities_gives_plain_labels(tmp_path: Path) -> None:
    with FakeEndpoint(respond=Desk()) as fake:
        found = taught(recipe(tmp_path, fake, annotate={"soft": "logprobs"}))
    assert all("soft" not in row and row["target"] in LABELS for row in found)


# step by step


def reasoned(desk: Desk, asked: str) -> Act:
    """A reply to the prompt that asks for reasoning; the text stands in a fence there."""
    label = desk.labels[asked.removeprefix("<text>\n").removesuffix("\n</text>")]
    return answers(json.dumps({"reasoning": f"It is about {label}.", "label": label}))


def test_reasoning_comes_before_the_answer_and_stays_in_the_raw_reply(tmp_path: Path) -> None:
    desk = Desk()
    with FakeEndpoint(respond=lambda asked: reasoned(desk, asked)) as fake:
        found = taught(recipe(tmp_path, fake, task=STEPS))
        schema = fake.requests[0]["response_format"]["json_schema"]["schema"]
        assert list(schema["properties"]) == ["reasoning", "label"]
    for row in found:
        assert row["target"] == desk.labels[row["text"]]
        assert json.loads(row["meta"]["reply"])["reasoning"] == f"It is about {row['target']}."


def test_examples_are_listed_without_reasoning_where_the_answer_is_to_be_reasoned_out(tmp_path: Path) -> None:
    desk = Desk()
    with FakeEndpoint(respond=lambda asked: reasoned(desk, asked)) as fake:
        taught(recipe(tmp_path, fake, task=STEPS, annotate={"examples": {"count": 2}}, data={"validation": 0}))
    gold = rows(tmp_path / "gold.jsonl")
    for request in fake.requests:
        system, question = request["messages"]
        shown = [row for row in gold if f"{row['text']}\n</text>\n" in system["content"]]
        assert len(shown) == 2
        assert all(json.dumps({"label": row["desk"]}) in system["content"] for row in shown)
        assert (system["role"], question["role"]) == ("system", "user")


# what makes the stage anew


@pytest.mark.parametrize(
    ("changed", "further"),
    [
        ({"votes": 3}, 3 * TEXTS),
        ({"temperature": 0.2}, TEXTS),
        ({"soft": "logprobs"}, TEXTS),
        ({"examples": {"count": 1}}, TEXTS),
        ({}, 0),
    ],
)
def test_to_ask_otherwise_is_to_ask_again(tmp_path: Path, changed: Row, further: int) -> None:
    with FakeEndpoint(respond=Desk()) as fake:
        taught(recipe(tmp_path, fake))
        before = stamps(tmp_path / "run")["2-taught.jsonl"]
        taught(recipe(tmp_path, fake, annotate=changed))
        assert len(fake.requests) == TEXTS + further
        assert (stamps(tmp_path / "run")["2-taught.jsonl"] != before) is bool(further)
