"""Files of entities as a recipe's data: recognised, renamed, and told about where they do not fit the task."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.data.entities.support import cells
from understudy.data.entities.formats import Format
from understudy.data.load import Columns, Layout, Repeats, load_examples
from understudy.errors import DataError, UnderstudyError
from understudy.example import Example, Source, Span
from understudy.tasks.classification import Classification
from understudy.tasks.ner import NER
from understudy.tasks.task import Task

TASK = NER(types=["PER", "LOC"])
COLUMNS = "# id = g\nAnn B-PER\nin O\nRome B-LOC\n"
SPACY = json.dumps({"text": "Bob", "ents": [{"start": 0, "end": 3, "label": "PER"}]})


def load(
    folder: Path, files: Mapping[str, str], task: Task = TASK, repeats: Repeats = "refuse", **layout: Any
) -> list[Example]:
    paths: dict[Source, Path] = {}
    sources: tuple[Source, ...] = ("gold", "pool", "test")
    for (name, content), source in zip(files.items(), sources, strict=False):
        paths[source] = folder / name
        paths[source].write_text(content, encoding="utf-8")
    return list(load_examples(paths, Layout(**layout), task, repeats))


def refused(folder: Path, files: Mapping[str, str], task: Task = TASK, **layout: Any) -> str:
    with pytest.raises(DataError) as caught:
        load(folder, files, task, **layout)
    return str(caught.value).replace(f"{folder}/", "")


def test_each_file_may_be_in_a_format_of_its_own(tmp_path: Path) -> None:
    task = json.dumps([{"id": 4, "data": {"body": "Cy"}, "annotations": [{"result": []}]}])
    files = {"gold.conll": COLUMNS, "pool.jsonl": json.dumps({"body": "Dee"}), "test.json": task}
    test, gold, pool = load(tmp_path, files, columns=Columns(text="body", target="marks"))
    assert test == Example(id="4", text="Cy", target=(), source="test")
    assert gold == Example(id="g", text="Ann in Rome", target=(Span(0, 3, "PER"), Span(7, 11, "LOC")), source="gold")
    assert pool == Example(id="pool-1", text="Dee", source="pool")


def test_a_format_can_be_forced(tmp_path: Path) -> None:
    form: dict[Source, Format] = {"gold": "spacy"}
    unmarked = json.dumps({"text": "none", "entities": []})
    assert load(tmp_path, {"gold.jsonl": unmarked}, format=form)[0].target == ()
    assert "unknown column 'target'" in refused(tmp_path, {"gold.jsonl": unmarked})
    assert load(tmp_path, {"gold.dat": SPACY}, format=form)[0].target == (Span(0, 3, "PER"),)
    assert "unknown kind of data file '.dat'" in refused(tmp_path, {"gold.dat": SPACY})


def test_a_task_without_entities_reads_tables_alone(tmp_path: Path) -> None:
    task = Classification(labels=["a", "b"])
    rows = {"gold.jsonl": json.dumps({"text": "Ann", "target": "a", "ents": json.loads(SPACY)["ents"]})}
    assert load(tmp_path, rows, task)[0].target == "a"
    assert "'.conll'; expected .jsonl or .csv" in refused(tmp_path, {"gold.conll": COLUMNS}, task)


def test_columns_whose_sentences_repeat_can_be_learned_from(tmp_path: Path) -> None:
    gold = "Ann B-PER\n\nRome B-LOC\n\nRome O\n\nBob B-PER\n"
    files = {"gold.conll": gold, "pool.conll": "x O\n", "test.conll": "ann O\n\nann O\n"}
    message = refused(tmp_path, files)
    assert "gold.conll:1: this text also stands in the test set (" in message
    assert "gold.conll:5: the target 'none', but the same text has 'Rome (LOC)' in gold.conll:3" in message
    kept = [row.text for row in load(tmp_path, files, repeats="leave_out") if "rejected" not in row.meta]
    assert kept == ["ann", "ann", "Bob", "x"]


def test_a_json_list_of_our_own_records_needs_no_format(tmp_path: Path) -> None:
    rows = [{"text": "Ann", "target": cells((0, 3, "PER"))}, {"text": "Bob", "target": []}]
    examples = load(tmp_path, {"gold.json": json.dumps(rows)})
    assert [example.target for example in examples] == [(Span(0, 3, "PER"),), ()]


def test_a_task_of_spans_that_names_no_types_is_told_so(tmp_path: Path) -> None:
    class Untyped(NER):
        def __init__(self) -> None:
            self.prompt = "ner.v2"

    with pytest.raises(UnderstudyError, match="the task Untyped marks spans and names no types; expected an attribute"):
        load(tmp_path, {"gold.conll": COLUMNS}, Untyped())


def test_types_that_the_task_does_not_have_are_told_once_for_a_file(tmp_path: Path) -> None:
    content = COLUMNS + "\nEU B-MISC\nUN B-ORG\n\nUK B-MISC\n"
    message = refused(tmp_path, {"gold.conll": content})
    assert message == (
        "gold.conll: entities of types that are not the task's: 'MISC' (2 times), 'ORG' (1 times); expected PER, LOC: "
        "rename them under data.types in the recipe, or leave them out there (their type: null)"
    )
    examples = load(tmp_path, {"gold.conll": content}, types={"MISC": None, "ORG": "LOC"})
    assert [example.target for example in examples[1:]] == [(Span(3, 5, "LOC"),), ()]


def test_strange_types_are_told_with_what_ends_the_reading_of_their_file(tmp_path: Path) -> None:
    row = json.dumps({"text": "EU", "target": cells((0, 2, "ORG"))})
    message = refused(tmp_path, {"gold.jsonl": f"{row}\nbroken\n"})
    assert message.startswith("2 mistakes in the data")
    assert "gold.jsonl:2: not JSON" in message
    assert "'ORG' (1 times)" in message


def test_a_table_of_gold_is_refused_once_and_one_of_a_pool_is_not(tmp_path: Path) -> None:
    table = "text,target\nAnn,PER\nBob,PER\n"
    assert refused(tmp_path, {"gold.csv": table}).startswith("gold.csv: CSV holds no entities; expected JSON lines")
    assert len(load(tmp_path, {"gold.conll": COLUMNS, "pool.csv": table})) == 3


def test_spans_of_other_tools_are_read(tmp_path: Path) -> None:
    rows = [[0, 3, "PER"], {"start": 0, "end": 3, "label": "PER"}]
    content = "".join(json.dumps({"text": f"Ann {n}", "label": [row]}) + "\n" for n, row in enumerate(rows))
    examples = load(tmp_path, {"gold.jsonl": content}, columns=Columns(target="label"))
    assert [example.target for example in examples] == [(Span(0, 3, "PER"),)] * 2


def test_types_of_our_own_files_are_renamed_too(tmp_path: Path) -> None:
    row = json.dumps({"text": "Ann", "target": cells((0, 3, "person"))})
    assert load(tmp_path, {"gold.jsonl": row}, types={"person": "PER"})[0].target == (Span(0, 3, "PER"),)
    broken = json.dumps({"text": "Ann", "target": [3, {"type": ["PER"]}]})
    assert "column 'target': not a span" in refused(tmp_path, {"gold.jsonl": broken}, types={"person": "PER"})


def test_entities_of_a_pool_are_not_looked_at(tmp_path: Path) -> None:
    files = {"gold.conll": COLUMNS, "pool.conll": "EU B-WHATEVER\n"}
    assert load(tmp_path, files)[1] == Example(id="pool-1", text="EU", source="pool")


def test_documents_may_be_texts(tmp_path: Path) -> None:
    content = "-DOCSTART- O\n\nAnn B-PER\n\nRome B-LOC\n"
    [example] = load(tmp_path, {"gold.conll": content}, documents=True)
    assert (example.text, example.target) == ("Ann\nRome", (Span(0, 3, "PER"), Span(4, 8, "LOC")))


def test_mistakes_of_all_kinds_are_told_together_with_their_places(tmp_path: Path) -> None:
    tasks = [
        {"data": {"text": "Ann"}},
        {"data": {"txt": "Bob"}},
        {
            "id": "g",
            "data": {"text": "Cy"},
            "annotations": [{"result": [{"type": "labels", "value": {"start": 0, "end": 5, "labels": ["PER"]}}]}],
        },
    ]
    files = {"gold.conll": f"x\n\n{COLUMNS}", "pool.txt": "Dee O\n", "test.json": json.dumps(tasks)}
    message = refused(tmp_path, files)
    for line in (
        "test.json: item 1: nobody has marked entities in this text; mark them, or leave the text out",
        "test.json: item 2: no task with data.text",
        "test.json: item 3: span 0 to 5 is empty or outside a text of 2 characters",
        "gold.conll:1: found 'x'; expected a token and its tag",
    ):
        assert f"\n  {line}" in message
    assert message.startswith("4 mistakes in the data")


def test_an_id_that_stands_twice_is_told_with_both_places(tmp_path: Path) -> None:
    files = {"gold.conll": COLUMNS, "pool.json": json.dumps([{"text": "Ann"}, {"text": "Bob", "id": "g"}])}
    message = refused(tmp_path, files)
    assert message == "pool.json: item 2: the id 'g' stands twice, first in gold.conll:2; expected unique ids"
