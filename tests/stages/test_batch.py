import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import understudy as us
from tests.newswire import LABELS, rows, write_slice
from tests.stages.support import Desk
from tests.teacher.fake_batch_api import FakeBatchApi, Fault, Line, answered, completion, refused
from tests.teacher.fake_endpoint import fails
from tests.teacher.support import Noted
from understudy import pipeline
from understudy.errors import DataError, RecipeError, TeacherError
from understudy.teacher.batch.files import Exported, Imported
from understudy.teacher.cost.ledger import BudgetReached, Ledger
from understudy.teacher.cost.spending import Tokens

ATTRIBUTES = {"from": "attributes", "count": 24, "self_check": "drop"}
NOBODY = "http://127.0.0.1:9/v1"


def recipe(folder: Path, base_url: str = NOBODY, **changed: Any) -> Path:
    """A recipe over twelve pool and twelve test texts, whose teacher nobody has recorded."""
    live = {"replies": None, "base_url": base_url, "max_attempts": 1, "max_tokens": 50, **changed.pop("teacher", {})}
    return write_slice(folder, per_desk=1, pool=12, seeds=1, teacher=live, **changed)


def asked(line: Line) -> str:
    return str(line["body"]["messages"][-1]["content"])


def answering(desk: Desk) -> Callable[[Line], Line]:
    """The provider's answer to a request line, with the tokens it took."""

    def answer(line: Line) -> Line:
        found = answered(line["custom_id"], desk.reply(asked(line)))
        found["response"]["body"]["usage"] = {"prompt_tokens": 100, "completion_tokens": 20}
        return found

    return answer


class Exchange:
    """Batches by hand: export, have a provider answer, import."""

    def __init__(self, path: Path, provider: Callable[[Line], Line]) -> None:
        self.path = path
        self.run = path.parent / "run"
        self.folder = path.parent / "batch"
        self.provider = provider

    def export(self) -> Exported:
        return pipeline.export_batch(self.path, self.folder, self.run)

    def lines(self) -> list[Line]:
        return [line for file in sorted(self.folder.glob("requests-*.jsonl")) for line in rows(file)]

    def answer(self) -> Imported:
        """The provider answers what was exported, and that is imported."""
        output = self.folder / "output.jsonl"
        output.write_text("".join(json.dumps(self.provider(line)) + "\n" for line in self.lines()))
        return pipeline.import_batch(self.path, [output], self.run)


# by hand


@pytest.mark.usefixtures("hurried")
def test_what_failed_and_what_was_no_answer_is_all_that_is_exported_again(tmp_path: Path) -> None:
    desk = Desk()
    exchange = Exchange(recipe(tmp_path), answering(desk))
    assert exchange.export().requests == 24
    texts = [asked(line) for line in exchange.lines()]
    failed, invalid = texts[13], texts[17]

    def careless(line: Line) -> Line:
        if asked(line) == failed:
            return refused(line["custom_id"], 500, "overloaded")
        if asked(line) == invalid:
            return answered(line["custom_id"], '{"label": "sports"}')
        return answering(desk)(line)

    exchange.provider = careless
    imported = exchange.answer()
    assert (imported.kept, imported.failed, imported.missing, imported.corrections) == (23, 1, 2, 1)
    assert exchange.export().requests == 2
    again, correction = sorted(exchange.lines(), key=lambda line: len(line["body"]["messages"]))
    assert asked(again) == failed
    assert invalid in [message["content"] for message in correction["body"]["messages"]]
    assert "unknown label 'sports'" in asked(correction)

    desk.labels[asked(correction)] = desk.labels[invalid]
    exchange.provider = answering(desk)
    assert exchange.answer().missing == 0
    assert exchange.export() == Exported([], replaced=1)
    done = us.run(exchange.path, exchange.run)  # nobody answers at its endpoint
    assert done.scores["data"]["distilled"] == 12
    assert (done.scores["teacher"]["requests"], done.scores["data"]["rejected"]) == (25, {})


def test_to_import_the_same_file_twice_changes_nothing(tmp_path: Path) -> None:
    exchange = Exchange(recipe(tmp_path), answering(Desk()))
    exchange.export()
    exchange.answer()
    before = (tmp_path / "replies.jsonl").read_bytes()
    imported = exchange.answer()
    assert (imported.kept, imported.repeated) == (0, 24)
    assert (tmp_path / "replies.jsonl").read_bytes() == before


def test_votes_and_examples_go_into_the_batch(tmp_path: Path) -> None:
    exchange = Exchange(recipe(tmp_path, annotate={"votes": 3, "examples": {"count": 2}}), answering(Desk()))
    assert exchange.export().requests == 3 * 24
    assert sorted({line["body"]["seed"] for line in exchange.lines()}) == [0, 1, 2]
    assert {len(line["body"]["messages"]) for line in exchange.lines()} == {1 + 2 * 2 + 1}
    assert exchange.answer().missing == 0


PRICED = {"price": {"input": 1.0, "output": 10.0}, "budget": {"usd": 0.02, "tokens": 10**6}}


def test_an_export_says_what_it_may_cost_beside_the_budget_and_is_not_refused(tmp_path: Path) -> None:
    told = Noted()
    path = recipe(tmp_path, teacher=PRICED)
    exported = pipeline.export_batch(path, tmp_path / "batch", tmp_path / "run", told)
    usd = (exported.worst.input + 10 * exported.worst.output) / 2e6
    assert usd > 0.02
    assert told.lines[-1].startswith(f"These requests take {exported.worst.total:,} tokens (${usd:.4f}".rstrip("0"))
    assert "of the budget of $0.02 and 1,000,000 tokens, $0.02 and 1,000,000 tokens is left: they may" in told.lines[-1]


def test_what_is_imported_by_hand_is_entered_once_at_the_price_of_a_batch(tmp_path: Path) -> None:
    exchange = Exchange(recipe(tmp_path, teacher=PRICED), answering(Desk()))
    exchange.export()
    cost = 24 * (100 + 20 * 10) / 2e6
    for _ in range(2):
        exchange.answer()
        assert us.check(exchange.path, exchange.run).spent_usd == pytest.approx(cost)
    teacher = us.run(exchange.path, exchange.run).scores["teacher"]
    assert teacher["spent_usd"] == teacher["cost_usd"] == pytest.approx(cost)


# texts of the teacher's own


def test_texts_whose_targets_are_known_are_exported_with_the_teams_own(tmp_path: Path) -> None:
    exchange = Exchange(recipe(tmp_path, generate={"from": "targets", "count": 24}), answering(Desk()))
    assert exchange.export().requests == 24 + 24
    assert exchange.answer().missing == 0
    lesson = pipeline.teach_only(exchange.path, exchange.run)
    assert (lesson.answered, lesson.requests) == (24, 48)
    assert len(rows(exchange.run / "2-generated.jsonl")) == 24


def test_what_hangs_on_answers_is_exported_once_these_are_there(tmp_path: Path) -> None:
    exchange = Exchange(recipe(tmp_path, generate=ATTRIBUTES), answering(Desk()))
    proposals = 1 + len(LABELS)
    assert exchange.export().requests == 24 + proposals
    assert exchange.answer().missing == 24  # the texts are known now
    assert exchange.export().requests == 24
    assert all("\nlength: " in asked(line) for line in exchange.lines())
    assert exchange.answer().missing == 24  # and now the checks on them
    written = exchange.export()
    assert written.requests == 24
    assert exchange.answer().missing == 0
    assert exchange.export().requests == 0
    pipeline.teach_only(exchange.path, exchange.run)  # nobody answers at its endpoint
    found = rows(exchange.run / "2-generated.jsonl")
    assert [row["meta"]["self_check"] for row in found] == ["kept"] * 24


def test_attributes_of_which_one_is_missing_keep_the_texts_waiting(tmp_path: Path) -> None:
    desk = Desk()

    def silent_on_sport(line: Line) -> Line:
        if asked(line).endswith("label: sport\n</text>"):
            return refused(line["custom_id"], 500)
        return answering(desk)(line)

    exchange = Exchange(recipe(tmp_path, generate=ATTRIBUTES), silent_on_sport)
    exchange.export()
    assert exchange.answer().missing == 1
    assert exchange.export().requests == 1
    assert asked(exchange.lines()[0]).endswith("label: sport\n</text>")


def test_proposals_that_cannot_be_used_are_told(tmp_path: Path) -> None:
    exchange = Exchange(
        recipe(tmp_path, generate=ATTRIBUTES), lambda line: answered(line["custom_id"], '{"attributes": []}')
    )
    exchange.export()
    exchange.answer()
    exchange.export()
    with pytest.raises(TeacherError, match="proposed no attributes that can be used"):
        exchange.answer()
    with pytest.raises(TeacherError, match="proposed no attributes that can be used"):
        exchange.export()


# over the Batch API


def submit(path: Path) -> Imported:
    return pipeline.submit_batch(path, path.parent / "batch", path.parent / "run")


def cancel(path: Path) -> Imported:
    return pipeline.cancel_batch(path, path.parent / "batch", path.parent / "run")


def api(reply: Callable[[Line], Line]) -> FakeBatchApi:
    """A Batch API that has done each batch by the time that it is first looked at."""
    return FakeBatchApi(reply, plans=[["completed"]] * 9)


@pytest.mark.usefixtures("hurried")
def test_rounds_follow_each_other_until_everything_is_answered(tmp_path: Path) -> None:
    desk = Desk()
    with api(answering(desk)) as fake:
        path = recipe(tmp_path, fake.base_url, generate=ATTRIBUTES)
        imported = submit(path)
        assert [len(batch.lines) for batch in fake.batches] == [24 + 1 + len(LABELS), 24, 24]
        assert (imported.kept, imported.missing) == (len(fake.sent()), 0)
        assert imported.tokens == Tokens(100 * len(fake.sent()), 20 * len(fake.sent()))
        done = us.run(path, tmp_path / "run")  # it answers no single request
    assert done.scores["data"]["distilled"] == 12 + 24
    assert done.scores["teacher"]["tokens"]["input"] == 100 * len(fake.sent())


def test_what_fails_and_what_is_no_answer_goes_into_the_next_round(tmp_path: Path) -> None:
    desk, seen = Desk(), set[str]()

    def once_careless(line: Line) -> Line:
        text = asked(line)
        if text.startswith("That reply cannot be used"):
            return answered(line["custom_id"], '{"label": "sport"}')
        if text not in seen and len(seen) < 2:
            seen.add(text)
            return refused(line["custom_id"], 500) if len(seen) == 1 else answered(line["custom_id"], "hm")
        return answering(desk)(line)

    with api(once_careless) as fake:
        imported = submit(recipe(tmp_path, fake.base_url))
        assert [len(batch.lines) for batch in fake.batches] == [24, 2]
    assert (imported.kept, imported.missing) == (25, 0)


def test_what_fails_again_and_again_is_not_sent_for_ever(tmp_path: Path) -> None:
    with api(lambda line: refused(line["custom_id"], 500)) as fake:
        imported = submit(recipe(tmp_path, fake.base_url))
        assert len(fake.batches) == 1
    assert (imported.kept, imported.missing) == (0, 24)


def test_a_recipe_without_an_endpoint_has_nowhere_to_submit_to(tmp_path: Path) -> None:
    path = write_slice(tmp_path, per_desk=1, pool=1)
    for told in (submit, cancel):
        with pytest.raises(RecipeError, match=r"teacher\.base_url: missing"):
            told(path)


# within the budget


def budgeted(folder: Path, fake: FakeBatchApi, tokens: int) -> Path:
    return recipe(folder, fake.base_url, teacher={"budget": {"tokens": tokens}})


def spent(path: Path) -> tuple[int, int]:
    """The requests that a run has sent, and the tokens that they took."""
    ledger = Ledger(path.parent / "run" / "2-spending.jsonl")
    return ledger.requests, ledger.spent.total


def test_a_batch_that_the_budget_may_not_cover_is_not_uploaded(tmp_path: Path) -> None:
    with api(answering(Desk())) as fake:
        with pytest.raises(BudgetReached, match="budget of 20,000 tokens"):
            submit(budgeted(tmp_path, fake, 20_000))
        assert not fake.calls
        assert submit(budgeted(tmp_path, fake, 80_000)).missing == 0
        assert len(fake.batches) == 1


@pytest.mark.parametrize("call", ["upload", "create", "look", "content"])
def test_a_round_that_was_cut_short_is_finished_within_the_same_budget_and_costs_no_more(
    tmp_path: Path, call: str
) -> None:
    with api(answering(Desk())) as fake:
        fake.faults[call].append(Fault(fails(401, "expired")))
        path = budgeted(tmp_path, fake, 80_000)  # it covers the worst case once
        with pytest.raises(TeacherError, match="401: expired"):
            submit(path)
        assert submit(path).missing == 0
        assert len(fake.batches) == 1
        assert spent(path) == (24, 24 * 120)


def test_what_was_never_sent_counts_as_nothing(tmp_path: Path) -> None:
    with api(answering(Desk())) as fake:
        fake.faults["upload"].append(Fault(fails(401, "no such key")))
        path = budgeted(tmp_path, fake, 80_000)
        with pytest.raises(TeacherError, match="401: no such key"):
            submit(path)
        assert spent(path) == (0, 0)


def test_a_batch_costs_half_unless_the_recipe_says_otherwise(tmp_path: Path) -> None:
    for share, price in ((0.5, {"input": 1.0, "output": 10.0}), (0.2, {"input": 1.0, "output": 10.0, "batch": 0.2})):
        with api(answering(Desk())) as fake:
            path = recipe(tmp_path / str(share), fake.base_url, teacher={"price": price})
            submit(path)
        done = us.run(path, path.parent / "run").scores["teacher"]
        assert done["spent_usd"] == done["cost_usd"] == pytest.approx(share * 24 * (100 + 20 * 10) / 1e6)


def test_what_is_cancelled_brings_and_costs_what_was_answered(tmp_path: Path) -> None:
    with api(answering(Desk())) as fake:
        path = budgeted(tmp_path, fake, 80_000)
        with pytest.raises(DataError, match="no batch is under way"):
            cancel(path)
        for told in (submit, cancel):
            fake.faults["look"].append(Fault(fails(401, "expired")))
            with pytest.raises(TeacherError, match="401: expired"):
                told(path)
        assert cancel(path).missing == 0
        assert len(fake.batches) == 1
        assert spent(path) == (24, 24 * 120)


@pytest.mark.parametrize(("counted", "tokens"), [(True, 24 * 120), (False, None)])
def test_a_round_costs_what_its_replies_report_or_else_the_worst(
    tmp_path: Path, counted: bool, tokens: int | None
) -> None:
    desk = Desk()

    def provider(line: Line) -> Line:
        found = answering(desk)(line)
        if not counted:
            found["response"]["body"] = completion(desk.reply(asked(line)))
        return found

    with api(provider) as fake:
        path = budgeted(tmp_path, fake, 80_000)
        submit(path)
        lesson = pipeline.teach_only(path, tmp_path / "run")
    assert lesson.requests == 24
    assert lesson.spent.total == tokens if tokens is not None else 40_000 < lesson.spent.total < 80_000
