import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.data.files import write_examples
from understudy.data.load import Columns, Layout, Repeats, load_examples, read_labelled, text_key
from understudy.errors import DataError
from understudy.example import Example, Source, Span
from understudy.tasks.classification import Classification
from understudy.tasks.ner import NER

TASK = Classification(labels=["sport", "money"])
GOLD = [{"id": "g1", "text": "a goal", "target": "sport"}, {"id": "g2", "text": "a bank", "target": "money"}]
POOL = [{"id": "p1", "text": "some shares", "target": "ignored"}, {"id": "p2", "text": "a match"}]
TEST = [{"id": "t1", "text": "a cup", "target": "sport"}]


def load(
    folder: Path,
    columns: Columns | None = None,
    repeats: Repeats = "refuse",
    **rows: Sequence[Mapping[str, Any]] | str,
) -> list[Example]:
    given_rows = {"gold": GOLD, "pool": POOL, "test": TEST, **rows}
    files: dict[Source, Path] = {}
    for source in ("gold", "pool", "test"):
        files[source] = folder / f"{source}.jsonl"
        content = given_rows[source]
        lines = content if isinstance(content, str) else "".join(json.dumps(row) + "\n" for row in content)
        files[source].write_text(lines, encoding="utf-8")
    return list(load_examples(files, Layout(columns=columns or Columns()), TASK, repeats))


def refusal(folder: Path, **rows: Any) -> str:
    with pytest.raises(DataError) as error:
        load(folder, **rows)
    assert "\n" not in str(error.value)
    return str(error.value).removeprefix(f"{folder}/")


def test_every_row_becomes_an_example_and_the_test_set_comes_first(tmp_path: Path) -> None:
    examples = load(tmp_path)
    assert [example.id for example in examples] == ["t1", "g1", "g2", "p1", "p2"]
    assert [example.source for example in examples] == ["test", "gold", "gold", "pool", "pool"]
    assert [example.target for example in examples] == ["sport", "sport", "money", None, None]


def test_columns_may_have_other_names_and_rows_none(tmp_path: Path) -> None:
    columns = Columns(text="body", target="desk", id="nr")
    gold = [{"nr": 7, "body": "a goal", "desk": "sport"}]
    pool: list[dict[str, Any]] = [{"body": "some shares"}, {"body": "a match", "nr": None}]
    examples = load(tmp_path, columns, gold=gold, pool=pool, test=[{"body": "a cup", "desk": "money", "nr": "t"}])
    assert [example.id for example in examples] == ["t", "7", "pool-1", "pool-2"]


def test_a_missing_column_is_named_with_the_closest_and_the_setting(tmp_path: Path) -> None:
    assert refusal(tmp_path, pool=[{"id": "p", "txt": "a"}]) == (
        "pool.jsonl:1: unknown column 'text'; did you mean 'txt'?; set data.columns.text in the recipe"
    )
    assert "data.columns.target" in refusal(tmp_path, gold=[{"id": "g", "text": "a"}])


@pytest.mark.parametrize("text", ["", " \n\t", None, 3, ["a"]])
def test_a_row_without_text_is_refused(tmp_path: Path, text: Any) -> None:
    assert refusal(tmp_path, pool=[POOL[0], {"id": "p", "text": text}]).startswith("pool.jsonl:2: the column 'text'")


@pytest.mark.parametrize("label", ["Sport", "", None, 1, True, ["sport"]])
def test_a_label_that_is_not_on_the_list_is_refused(tmp_path: Path, label: Any) -> None:
    message = refusal(tmp_path, test=[{"id": "t", "text": "a cup", "target": label}])
    assert message.startswith("test.jsonl:1: column 'target': unknown label")


def test_half_a_character_is_refused_in_text_and_id(tmp_path: Path) -> None:
    assert "half a character" in refusal(tmp_path, pool='{"id": "p", "text": "a \\ud83d"}\n')
    assert "half a character" in refusal(tmp_path, pool='{"id": "p\\ud83d", "text": "a"}\n')


def test_an_id_stands_once_in_all_files(tmp_path: Path) -> None:
    message = refusal(tmp_path, pool=[{"id": "g2", "text": "a match"}])
    assert message.startswith("pool.jsonl:1: the id 'g2' stands twice, first in ")
    assert message.endswith("gold.jsonl:2; expected unique ids")
    assert "stands twice" in refusal(tmp_path, gold=[GOLD[0], GOLD[0]])


def test_a_gold_text_of_the_test_set_must_not_be_learned_from(tmp_path: Path) -> None:
    message = refusal(tmp_path, gold=[{"id": "x", "text": "  A\nCUP ", "target": "sport"}])
    assert message.startswith("gold.jsonl:1: this text also stands in the test set (")
    assert "test.jsonl:1" in message


def test_a_pool_text_of_the_test_set_is_left_for_cleaning_to_reject(tmp_path: Path) -> None:
    assert "x" in {example.id for example in load(tmp_path, pool=[{"id": "x", "text": "  A\nCUP "}])}


def test_mistakes_in_all_files_are_told_together_and_counted(tmp_path: Path) -> None:
    blank = [{"id": f"p{number}", "text": " "} for number in range(30)]
    with pytest.raises(DataError) as caught:
        load(tmp_path, pool=blank, gold=[{"id": "g", "text": "a goal", "target": "golf"}], test="")
    message = str(caught.value)
    assert message.startswith("32 mistakes in the data\n")
    assert "test.jsonl: the file is empty" in message
    assert "unknown label 'golf'" in message
    assert message.endswith("\n  and 22 more")


def test_gold_and_test_in_one_file_are_told_once(tmp_path: Path) -> None:
    (tmp_path / "gold.jsonl").write_text("".join(json.dumps(row) + "\n" for row in GOLD))
    (tmp_path / "test.jsonl").symlink_to(tmp_path / "gold.jsonl")
    files: dict[Source, Path] = {"gold": tmp_path / "gold.jsonl", "test": tmp_path / "test.jsonl"}
    with pytest.raises(DataError, match="gold and test are the same file; a test text must not be learned from"):
        list(load_examples(files, Layout(), TASK, "leave_out"))


def test_a_column_in_use_is_not_what_another_was_meant_to_be(tmp_path: Path) -> None:
    message = refusal(tmp_path, gold=[{"id": "g", "text": "a goal", "desk": "sport"}])
    assert "unknown column 'target'; expected one of: desk; set data.columns.target" in message


def test_a_column_that_is_missing_is_told_once(tmp_path: Path) -> None:
    assert refusal(tmp_path, pool=[{"body": "a"}, {"body": "b"}]).count("unknown column") == 1


def test_semicolons_between_columns_are_named(tmp_path: Path) -> None:
    (tmp_path / "pool.csv").write_text("id;text\n1;a match\n")
    with pytest.raises(DataError, match=r"pool\.csv:2: the columns are separated by ';'"):
        list(load_examples({"pool": tmp_path / "pool.csv"}, Layout(), TASK))


def test_a_gold_text_has_one_target(tmp_path: Path) -> None:
    again = {"id": "g3", "text": " A  Goal", "target": "sport"}
    assert len(load(tmp_path, gold=[*GOLD, again])) == 6
    message = refusal(tmp_path, gold=[*GOLD, {**again, "target": "money"}])
    assert message.startswith("gold.jsonl:3: the target 'money', but the same text has 'sport' in ")
    assert "gold.jsonl:1; expected one target for a text" in message


def test_a_refusal_for_a_text_that_comes_again_is_short_and_names_the_way_out(tmp_path: Path) -> None:
    text = "Ann " * 400
    spans = [{"start": at, "end": at + 3, "type": "PER"} for at in range(0, 1600, 4)]
    rows = [{"text": text, "target": spans}, {"text": text, "target": spans[1:]}]
    (tmp_path / "gold.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DataError) as caught:
        list(load_examples({"gold": tmp_path / "gold.jsonl"}, Layout(), NER(types=["PER"])))
    message = str(caught.value)
    assert len(message) < 800
    assert "the target 'Ann (PER), Ann (PER), " in message
    assert message.endswith("; or set data.repeats: leave_out in the recipe, which leaves such rows of gold out")


def test_gold_that_repeats_a_test_text_or_contradicts_itself_can_be_left_out(tmp_path: Path) -> None:
    gold = [
        {"id": "leak", "text": "A CUP", "target": "sport"},
        {"id": "one", "text": "a goal", "target": "sport"},
        {"id": "fine", "text": "a bank", "target": "money"},
        {"id": "other", "text": "A goal", "target": "money"},
        {"id": "again", "text": "a bank ", "target": "money"},
    ]
    reasons = {row.id: row.meta.get("rejected") for row in load(tmp_path, gold=gold, repeats="leave_out")}
    assert reasons == {
        "t1": None,
        "leak": "stands in test",
        "one": "two targets for one text",
        "fine": None,
        "other": "two targets for one text",
        "again": None,
        "p1": None,
        "p2": None,
    }


def test_what_is_wrong_with_gold_is_told_once_where_repeats_are_left_out(tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        load(tmp_path, gold=[*GOLD, {"text": "x", "target": "golf"}], repeats="leave_out")
    assert str(caught.value).count("unknown label") == 1


def test_edited_spans_may_stand_in_any_order(tmp_path: Path) -> None:
    task, spans = NER(types=["PER", "LOC"]), (Span(0, 3, "PER"), Span(7, 11, "LOC"), Span(13, 16, "PER"))
    row = Example(id="a", text="Ann in Rome. Bob left.", target=spans[::-1], source="annotated")
    write_examples(tmp_path / "3-clean.jsonl", [row])
    [read] = read_labelled(tmp_path / "3-clean.jsonl", task)
    assert read.target == spans


def test_texts_may_repeat_elsewhere(tmp_path: Path) -> None:
    assert len(load(tmp_path, pool=[*POOL, {"id": "p3", "text": POOL[0]["text"]}])) == 6


@pytest.mark.parametrize("source", ["gold", "pool", "test"])
def test_an_empty_file_is_refused(tmp_path: Path, source: str) -> None:
    assert refusal(tmp_path, **{source: "\n"}) == f"{source}.jsonl: the file is empty; expected {source} rows"


def test_examples_come_one_at_a_time(tmp_path: Path) -> None:
    for source, lines in (("test", '{"text": "a cup", "target": "sport"}\nbroken\n'), ("pool", "")):
        (tmp_path / f"{source}.jsonl").write_text(lines)
    rows = load_examples({"pool": tmp_path / "pool.jsonl", "test": tmp_path / "test.jsonl"}, Layout(), TASK)
    assert next(rows).id == "test-1"


@given(st.lists(st.text(alphabet="abß ÄéΣς\n\t\u00a0", max_size=6), max_size=6), st.text(alphabet=" \n\t\u00a0"))
def test_texts_that_differ_in_case_and_white_space_share_a_key(words: list[str], space: str) -> None:
    text = " ".join(words)
    assert text_key(space + text.replace(" ", f" {space}") + space) == text_key(text)
    assert text_key(text.upper()) == text_key(text.upper().lower())
    assert text_key(f"{text} x") != text_key(text)
