import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

import understudy as us
from tests.newswire import LABELS, NEWSWIRE, recorded_labels, rows, stamps, write_recipe, write_rows, write_slice
from tests.stages.support import Desk
from tests.teacher.fake_endpoint import Act, FakeEndpoint, answers, fails
from understudy import pipeline
from understudy.errors import TeacherError
from understudy.recipe import Recipe
from understudy.run_folder import RunFolder
from understudy.stages.gather import gather
from understudy.stages.split import split
from understudy.teacher.cost.ledger import BudgetReached

Row = dict[str, Any]


def of_articles(folder: Path, gold: int) -> tuple[Path, RunFolder]:
    """A recipe that has the recorded articles written for the highlights of so many gold texts."""
    write_rows(folder / "gold.jsonl", rows(NEWSWIRE / "gold.jsonl")[:gold])
    write_rows(folder / "test.jsonl", rows(NEWSWIRE / "test.jsonl")[:6])
    recorded = [
        {kind: str(NEWSWIRE / kind / f"{name}.jsonl") for kind in ("requests", "replies")}
        for name in ("articles", "highlights")
    ]
    recipe = {
        "name": "articles",
        "task": {"type": "summarization", "prompt": "summarization.v1"},
        "data": {"gold": "gold.jsonl", "test": "test.jsonl", "columns": {"target": "highlights"}},
        "teacher": {"model": "claude", "replies": recorded, "store": "replies.jsonl"},
        "generate": {"from": "targets", "prompt": "generate-from-summary.v1"},
    }
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(recipe, sort_keys=False))
    return path, RunFolder(folder / "run")


def recipe(
    folder: Path, fake: FakeEndpoint, *, from_: str = "targets", teacher: Row | None = None, **generate: Any
) -> Path:
    """A recipe whose texts are annotated out of the recording, and to which the endpoint writes others."""
    live = {"base_url": fake.base_url, "concurrency": 1, "max_attempts": 1, "max_tokens": 50, **(teacher or {})}
    write_slice(folder, per_desk=2, pool=24)
    return write_recipe(folder, seeds=1, teacher=live, generate={"from": from_, **generate})


def generated(path: Path) -> list[Row]:
    """What the recipe has the teacher write."""
    run = RunFolder(path.parent / "run")
    pipeline.teach_only(path, run.path)
    return rows(run.generated)


def writing(fake: FakeEndpoint) -> list[str]:
    return [text for text in fake.texts() if "\nlabel: " in text]


# out of targets


def test_the_recorded_articles_are_written_for_the_highlights_that_students_learn_from(tmp_path: Path) -> None:
    path, run = of_articles(tmp_path, gold=10)
    found = generated(path)
    gold = {row["id"]: row for row in rows(tmp_path / "gold.jsonl")}
    assert len(found) == 8  # two are held out for validation
    assert {row["source"] for row in found} == {"generated"}
    assert all(row["target"] == gold[row["meta"]["target_of"]]["highlights"] for row in found)
    assert all(json.loads(row["meta"]["reply"])["text"] == row["text"] for row in found)
    assert not any(row["text"] == gold[row["meta"]["target_of"]]["text"] for row in found)
    kept, _, _ = pipeline.clean_only(path, run.path)
    assert kept == 8


def test_it_is_done_once_and_again_when_gold_was_edited(tmp_path: Path) -> None:
    path, run = of_articles(tmp_path, gold=10)
    before = generated(path)
    sealed = stamps(run.path)
    assert generated(path) == before
    assert stamps(run.path) == sealed
    write_rows(tmp_path / "gold.jsonl", rows(NEWSWIRE / "gold.jsonl")[:15])
    assert len(generated(path)) == 12


def test_targets_may_stand_in_a_file_of_their_own(tmp_path: Path) -> None:
    write_rows(tmp_path / "wanted.jsonl", [{"desk": "health"}, {"desk": "sport"}, {"desk": "health"}])
    with FakeEndpoint(respond=Desk()) as fake:
        path = recipe(tmp_path, fake, targets="wanted.jsonl")
        assert [row["target"] for row in generated(path)] == ["health", "sport", "health"]
        write_rows(tmp_path / "wanted.jsonl", [{"desk": "health"}, {"desk": "crime"}])
        assert [row["target"] for row in generated(path)] == ["health", "crime"]
        assert len(writing(fake)) == 4


@pytest.mark.usefixtures("hurried")
def test_a_student_trains_on_texts_that_an_endpoint_wrote_for_every_label(tmp_path: Path) -> None:
    with FakeEndpoint(respond=Desk()) as fake:
        path = recipe(tmp_path, fake, count=24)
        done = us.run(path, tmp_path / "run")
        assert len(fake.requests) == len(writing(fake)) == 24
        assert not us.run(path, tmp_path / "run").worked
    train = rows(tmp_path / "run" / "4-train.jsonl")
    assert Counter(row["source"] for row in train) == {"gold": 19, "annotated": 24, "generated": 24}
    assert Counter(row["target"] for row in train if row["source"] == "generated") == dict.fromkeys(LABELS, 2)
    assert done.scores["data"]["distilled"] == 48
    assert done.student("linear/distilled").predict(["The striker scored twice."])[0].target in LABELS


@pytest.mark.usefixtures("hurried")
def test_without_a_pool_students_learn_from_written_texts_alone(tmp_path: Path) -> None:
    with FakeEndpoint(respond=Desk()) as fake:
        recipe(tmp_path, fake, count=24)
        live = {"base_url": fake.base_url, "concurrency": 1}
        path = write_recipe(
            tmp_path, seeds=1, data={"pool": None}, teacher=live, generate={"from": "targets", "count": 24}
        )
        us.run(path, tmp_path / "run")
    train = rows(tmp_path / "run" / "4-train.jsonl")
    assert Counter(row["source"] for row in train) == {"gold": 19, "generated": 24}


def test_several_texts_come_of_one_request(tmp_path: Path) -> None:
    with FakeEndpoint(respond=Desk(texts=3)) as fake:
        found = generated(recipe(tmp_path, fake, count=35, texts_per_request=3))
        assert len(writing(fake)) == 12
    assert [row["id"] for row in found[:4]] == ["generated-1-1", "generated-1-2", "generated-1-3", "generated-2-1"]
    assert len({row["text"] for row in found}) == 36
    assert sum("usage" in row["meta"] for row in found) == 12


# out of attributes


def test_the_teacher_proposes_attributes_and_writes_over_them(tmp_path: Path) -> None:
    tones = ["dry", "warm"]
    with FakeEndpoint(respond=Desk(proposed={"tone": tones})) as fake:
        path = recipe(tmp_path, fake, from_="attributes", count=48, description="Newspaper articles.")
        found = generated(path)
        assert len(fake.requests) == 1 + len(LABELS) + 48
        assert all("Newspaper articles." in request["messages"][0]["content"] for request in fake.requests)
        generated(path)
        assert len(fake.requests) == 1 + len(LABELS) + 48
    assert Counter(row["target"] for row in found) == dict.fromkeys(LABELS, 4)
    properties = [row["meta"]["attributes"] for row in found]
    assert Counter(each["subtopic"] for each in properties) == {
        f"{label} {place}": 2 for label in LABELS for place in ("at home", "abroad")
    }
    assert Counter(each["tone"] for each in properties) == {"dry": 24, "warm": 24}
    assert all(row["meta"]["attributes"]["subtopic"].startswith(row["target"]) for row in found)


def test_only_the_values_that_are_not_given_are_proposed(tmp_path: Path) -> None:
    attributes = {"tone": ["dry"], "subtopic": None}
    with FakeEndpoint(respond=Desk()) as fake:
        found = generated(recipe(tmp_path, fake, from_="attributes", count=12, attributes=attributes))
        assert len(fake.requests) == len(LABELS) + 12
    assert {tuple(row["meta"]["attributes"]) for row in found} == {("tone", "subtopic")}


def test_proposals_that_cannot_be_used_are_told_and_nothing_is_left(tmp_path: Path) -> None:
    with FakeEndpoint(respond=lambda _: answers('{"attributes": []}')) as fake:
        path = recipe(tmp_path, fake, from_="attributes", count=12)
        with pytest.raises(TeacherError, match=r"proposed no attributes that can be used .* generate\.attributes"):
            generated(path)
    assert not RunFolder(tmp_path / "run").generated.exists()


# the self-check


def contrary() -> Desk:
    """A teacher that first writes an article on sport, whatever it is asked for, and labels it as what it is."""
    desk = Desk()
    desk.articles["politics"] = iter([next(desk.articles["sport"])])
    return desk


def checked(folder: Path, verdict: str) -> tuple[Row, list[Row]]:
    """The contrary text, and the others, after the teacher has read all of them again."""
    with FakeEndpoint(respond=contrary()) as fake:
        found = generated(recipe(folder, fake, count=12, self_check=verdict))
        assert len(fake.requests) == 12  # the checks are recorded
    [other] = [row for row in found if row["meta"].get("written_for") is not None]
    return other, [row for row in found if row is not other]


def test_a_text_that_the_teacher_would_label_otherwise_is_left_out(tmp_path: Path) -> None:
    other, kept = checked(tmp_path, "drop")
    assert "target" not in other
    assert other["meta"]["written_for"] == "politics"
    assert other["meta"]["rejected"] == "self-check: the teacher itself answers 'sport'"
    assert {row["meta"]["self_check"] for row in kept} == {"kept"}
    assert {row["target"] for row in kept} == set(LABELS) - {"politics"}
    _, rejections, folder = pipeline.clean_only(tmp_path / "recipe.yaml", tmp_path / "run")
    assert rejections["self-check: the teacher itself answers …"] == 1
    assert other["text"] not in {row["text"] for row in rows(folder.clean)}


def test_a_text_that_the_teacher_would_label_otherwise_takes_that_label(tmp_path: Path) -> None:
    other, kept = checked(tmp_path, "correct")
    assert (other["target"], other["meta"]["written_for"], other["meta"]["self_check"]) == (
        "sport",
        "politics",
        "corrected",
    )
    assert all(row["meta"]["self_check"] == "kept" for row in kept)


# what may be learned from


def test_a_written_text_that_stands_in_the_test_set_is_not_learned_from(tmp_path: Path) -> None:
    desk = Desk()
    with FakeEndpoint(respond=desk) as fake:
        path = recipe(tmp_path, fake, count=12)
        test = next(row for row in rows(tmp_path / "test.jsonl") if row["desk"] == "sport")
        desk.articles["sport"] = iter([test["text"]])
        generated(path)
    pipeline.clean_only(path, tmp_path / "run")
    [out] = rows(tmp_path / "run" / "3-rejected.jsonl")
    assert (out["source"], out["text"], out["target"]) == ("generated", test["text"], "sport")
    assert (out["meta"]["rejected"], out["meta"]["of"]) == ("stands in test", test["id"])


@pytest.mark.usefixtures("hurried")
def test_a_test_text_may_have_the_id_of_a_written_one(tmp_path: Path) -> None:
    with FakeEndpoint(respond=Desk()) as fake:
        path = recipe(tmp_path, fake, count=12)
        first, *others = rows(tmp_path / "test.jsonl")
        write_rows(tmp_path / "test.jsonl", [{**first, "id": "generated-1"}, *others])
        done = us.run(path, tmp_path / "run")
    assert sum(row["source"] == "generated" for row in rows(tmp_path / "run" / "4-train.jsonl")) == 12
    predictions = {row["id"]: row for row in rows(done.path / "6-predictions.jsonl")}
    assert predictions["generated-1"]["teacher"]["target"] == recorded_labels()[first["id"]]


# what goes wrong


def test_a_run_that_breaks_off_in_the_middle_goes_on_from_there(tmp_path: Path) -> None:
    desk = Desk()

    def respond(asked: str) -> Act:
        return fails(401, "expired") if len(fake.requests) == 6 else desk(asked)

    with FakeEndpoint(respond=respond) as fake:
        path = recipe(tmp_path, fake, count=12)
        with pytest.raises(TeacherError, match="401: expired"):
            generated(path)
        assert not RunFolder(tmp_path / "run").generated.exists()
        found = generated(path)
        assert len(fake.requests) == 12 + 1
    assert len({row["text"] for row in found}) == 12


def test_a_text_that_the_endpoint_failed_to_write_is_asked_for_again(tmp_path: Path) -> None:
    desk = Desk()
    with FakeEndpoint(desk("label: sport"), fails(500), respond=desk) as fake:
        path = recipe(tmp_path, fake, count=12)
        [failed] = [row for row in generated(path) if "rejected" in row["meta"]]
        assert failed["meta"]["unanswered"]
        assert not [row for row in generated(path) if "rejected" in row["meta"]]
        assert len(fake.requests) == 12 + 1


def test_a_budget_that_is_reached_while_writing_ends_the_run_and_loses_nothing(tmp_path: Path) -> None:
    with FakeEndpoint(respond=Desk()) as fake:
        path = recipe(tmp_path, fake, count=12, teacher={"budget": {"tokens": 2_700}})
        with pytest.raises(BudgetReached, match=r"2,700 tokens is reached.*raise teacher\.budget.*run again"):
            generated(path)
        asked = len(fake.requests)
        assert 0 < asked < 12
        path = recipe(tmp_path, fake, count=12, teacher={"budget": {"tokens": 50_000}})
        assert len(generated(path)) == len(fake.requests) == 12


def test_a_budget_that_is_reached_while_checking_ends_the_run_too(tmp_path: Path) -> None:
    teacher = {"replies": None, "model": "m", "budget": {"tokens": 4_700}}
    with FakeEndpoint(respond=Desk()) as fake:
        path = recipe(tmp_path, fake, count=12, self_check="drop", teacher=teacher)
        for name in ("pool", "test"):
            write_rows(tmp_path / f"{name}.jsonl", rows(tmp_path / f"{name}.jsonl")[:1])
        with pytest.raises(BudgetReached):
            generated(path)
        assert len(writing(fake)) == 12
        assert 2 + 12 < len(fake.requests) < 2 + 12 + 12


@pytest.mark.usefixtures("hurried")
def test_a_run_may_train_where_the_budget_did_not_reach_to_the_proposals(tmp_path: Path) -> None:
    teacher = {"replies": None, "model": "m", "max_tokens": 50, "budget": {"tokens": 6_500, "then": "train"}}
    long = {"description": "x" * 9_000, "count": 12}
    with FakeEndpoint(respond=Desk()) as fake:
        path = recipe(tmp_path, fake, from_="attributes", teacher=teacher, **long)
        done = us.run(path, tmp_path / "run")
        assert rows(tmp_path / "run" / "2-generated.jsonl") == []
        assert 0 < done.scores["data"]["distilled"] <= 24
        more = {**teacher, "budget": {"tokens": 10**6, "then": "train"}}
        again = us.run(recipe(tmp_path, fake, from_="attributes", teacher=more, **long), tmp_path / "run")
    assert again.scores["data"]["distilled"] == 24 + 12


def test_a_run_that_is_to_stop_at_its_budget_stops_at_the_proposals_too(tmp_path: Path) -> None:
    teacher = {"replies": None, "model": "m", "max_tokens": 50, "budget": {"tokens": 6_500}}
    with FakeEndpoint(respond=Desk()) as fake:
        path = recipe(tmp_path, fake, from_="attributes", teacher=teacher, description="x" * 9_000, count=12)
        with pytest.raises(BudgetReached, match=r"6,500 tokens is reached.*raise teacher\.budget.*run again"):
            generated(path)


# gold that a person has edited in the run


def test_no_text_is_written_for_a_target_that_the_run_holds_out(tmp_path: Path) -> None:
    path, run = of_articles(tmp_path, gold=20)
    gather(Recipe.load(path), run)
    given = rows(run.inputs)
    gold = [row for row in given if row["source"] == "gold"]
    write_rows(run.inputs, [row for row in given if row not in gold[:3]])
    origins = {row["meta"]["target_of"] for row in generated(path)}
    pipeline.clean_only(path, run.path)
    split(Recipe.load(path), run)
    assert origins == {row["id"] for row in rows(run.train) if row["source"] == "gold"}
    assert not origins & {row["id"] for row in rows(run.validation)}
