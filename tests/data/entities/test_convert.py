import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.data.entities.support import cells, written
from understudy.data.entities.convert import Conversion, Converted, convert
from understudy.data.entities.tags import Scheme
from understudy.errors import DataError

COLUMNS = "# id = a\nAnn B-PER\nin O\nRome B-LOC\n\nBob S-PER\n"


def converted(source: Path, name: str, **how: Any) -> str:
    convert(source, source.parent / name, Conversion(**{"types": {}, **how}))
    return (source.parent / name).read_text(encoding="utf-8")


def refused(source: Path, name: str = "out.jsonl", **how: Any) -> str:
    with pytest.raises(DataError) as caught:
        converted(source, name, **how)
    assert not (source.parent / name).exists()
    return str(caught.value)


def test_columns_become_json_lines_and_come_back(tmp_path: Path) -> None:
    lines = converted(written(tmp_path / "a.conll", COLUMNS), "b.jsonl")
    assert [json.loads(line) for line in lines.splitlines()] == [
        {"id": "a", "text": "Ann in Rome", "target": cells((0, 3, "PER"), (7, 11, "LOC"))},
        {"text": "Bob", "target": cells((0, 3, "PER"))},
    ]
    converted(tmp_path / "b.jsonl", "c.json")
    converted(tmp_path / "c.json", "d.jsonl", write_as="spacy")
    back = converted(tmp_path / "d.jsonl", "e.conll", scheme="bioes")
    assert back == "# id = a\nAnn\tS-PER\nin\tO\nRome\tS-LOC\n\nBob\tS-PER\n\n"


def test_types_are_renamed_and_left_out(tmp_path: Path) -> None:
    source = written(tmp_path / "a.conll", COLUMNS)
    done = convert(source, tmp_path / "b.jsonl", Conversion(types={"PER": "person", "LOC": None}))
    assert done == Converted(texts=2, types=Counter(person=2))


def test_columns_of_json_lines_may_have_other_names(tmp_path: Path) -> None:
    source = written(tmp_path / "a.jsonl", json.dumps({"body": "Ann", "spans": cells((0, 3, "PER"))}))
    assert converted(source, "b.conll", text="body", target="spans") == "Ann\tB-PER\n\n"
    assert "a.jsonl:1: unknown column 'text'" in refused(source)


def test_all_mistakes_are_told_together_and_nothing_is_written(tmp_path: Path) -> None:
    rows = [
        {"text": "Ann", "target": cells((0, 9, "PER"))},
        {"text": " ", "target": []},
        {"text": "Ann", "target": None},
        {"text": "Ann", "target": [{"start": 0}]},
        {"text": "Ann \ud83d", "target": []},
        {"text": "Ann", "target": cells((0, 2, "A"), (1, 3, "A"))},
        {"text": "Ann", "target": cells((0, 3, ""))},
        {"text": "Ann", "target": []},
    ]
    message = refused(written(tmp_path / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows)))
    assert message.startswith("7 mistakes in the data\n")
    for number, reason in enumerate(
        [
            "outside a text of 3",
            "no text",
            "no spans (None)",
            "not a span",
            "half a character",
            "overlaps",
            "unknown type",
        ]
    ):
        assert f"a.jsonl:{number + 1}: " in message
        assert reason in message


def test_an_empty_file_and_one_that_nobody_has_marked_are_refused(tmp_path: Path) -> None:
    assert "the file is empty" in refused(written(tmp_path / "a.jsonl", ""))
    task = json.dumps([{"data": {"text": "Ann"}}])
    assert "a.json: nobody has marked entities in any of its texts" in refused(written(tmp_path / "a.json", task))


def test_texts_that_nobody_has_marked_yet_are_left_out_and_counted(tmp_path: Path) -> None:
    done = {"data": {"text": "Bob"}, "annotations": [{"result": []}]}
    source = written(tmp_path / "a.json", json.dumps([{"data": {"text": "Ann"}}, done]))
    assert convert(source, tmp_path / "b.jsonl", Conversion(types={})) == Converted(texts=1, unmarked=1)
    assert json.loads((tmp_path / "b.jsonl").read_text()) == {"text": "Bob", "target": []}


def test_a_column_that_is_missing_is_told_once(tmp_path: Path) -> None:
    source = written(tmp_path / "a.jsonl", 3 * (json.dumps({"text": "Ann", "marks": []}) + "\n"))
    message = refused(source)
    assert message.startswith(f"{source}:1: unknown column 'target'")
    assert message.endswith("; say by --target which column holds the entities")
    assert message.count("unknown column") == 1


def test_a_column_in_use_is_never_meant_by_another_and_the_others_are_listed(tmp_path: Path) -> None:
    source = written(tmp_path / "a.jsonl", json.dumps({"id": 1, "text": "Ann", "label": [], "meta": {}}))
    assert "unknown column 'target'; expected one of: label, meta; say by --target" in refused(source)
    source = written(tmp_path / "a.jsonl", json.dumps({"id": 1, "text": "Ann"}))
    assert "unknown column 'target'; found only id, text; say by --target" in refused(source)


@pytest.mark.parametrize(
    "span", [[0, 3, "PER"], {"start": 0, "end": 3, "label": "PER", "token_start": 0}, *cells((0, 3, "PER"))]
)
def test_spans_may_be_written_as_other_tools_do(tmp_path: Path, span: object) -> None:
    source = written(tmp_path / "a.jsonl", json.dumps({"text": "Ann", "label": [span]}))
    assert json.loads(converted(source, "b.jsonl", target="label", types={"PER": "person"})) == {
        "text": "Ann",
        "target": cells((0, 3, "person")),
    }


def test_a_file_is_never_written_over_itself(tmp_path: Path) -> None:
    source = written(tmp_path / "a.conll", COLUMNS)
    (tmp_path / "link.conll").symlink_to(source)
    for name in ("a.conll", "link.conll"):
        with pytest.raises(DataError, match="this is the file that is read; expected another"):
            convert(source, tmp_path / name, Conversion(types={}))
    assert source.read_text() == COLUMNS


def test_csv_is_refused_once_for_the_file(tmp_path: Path) -> None:
    source = written(tmp_path / "a.csv", "text,target\nAnn,PER\nBob,PER\n")
    assert refused(source).startswith(f"{source}: CSV holds no entities; expected JSON lines")


def test_what_is_odd_is_told_and_no_mistake(tmp_path: Path) -> None:
    rows = [{"text": "Ann Lee", "target": cells((5, 7, "PER"))}, {"text": "Ann", "target": cells((0, 3, "PER"))}]
    source = written(tmp_path / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    [cut] = convert(source, tmp_path / "b.jsonl", Conversion(types={})).oddities
    assert cut.startswith(f"{source}: 1 entity begins or ends inside a word, such as 'ee' in 'Ann Lee'; see ")
    source = written(tmp_path / "a.conll", "Ann O\nNew York B-LOC\nx O\n")
    [uneven] = convert(source, tmp_path / "b.jsonl", Conversion(types={})).oddities
    assert uneven.startswith(f"{source}:2: 3 columns")


def test_a_json_list_of_our_own_records_is_read_as_such(tmp_path: Path) -> None:
    rows = [{"text": "Ann", "target": cells((0, 3, "PER"))}, {"text": "Bob", "target": []}]
    lines = converted(written(tmp_path / "a.json", json.dumps(rows)), "b.jsonl")
    assert [json.loads(line) for line in lines.splitlines()] == rows
    assert "a.json: item 2: found [2]; expected an object" in refused(
        written(tmp_path / "a.json", json.dumps([rows[0], [2]]))
    )


@pytest.mark.parametrize("scheme", ["bio2", "iob1", "bioes"])
def test_columns_keep_their_own_tokens(tmp_path: Path, scheme: Scheme) -> None:
    lines = ["U.S.\tB-LOC", "1996-08-30\tO", "'s\tO", "", "#\tO", "Jean-Luc\tB-PER", "", ""]
    source = written(tmp_path / "a.conll", "\n".join(lines))
    again = converted(source, "b.conll", scheme=scheme)
    assert [line.split("\t")[0] for line in again.splitlines()] == [line.split("\t")[0] for line in lines[:-1]]
    if scheme == "bio2":
        assert again == source.read_text(encoding="utf-8")


def test_joined_documents_keep_their_own_tokens_as_one_text(tmp_path: Path) -> None:
    source = written(tmp_path / "a.conll", "-DOCSTART- O\n\nU.S. B-LOC\n\n5-4 O\n")
    assert converted(source, "b.conll", documents=True) == "U.S.\tB-LOC\n5-4\tO\n\n"
