from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.entities.support import cells, in_one_folder, refusal, texts, written
from understudy.data.entities import conll
from understudy.data.entities.formats import write
from understudy.data.entities.marked import MarkedText
from understudy.data.entities.tags import Scheme, tagged
from understudy.errors import DataError
from understudy.example import Span


def rows(path: Path, documents: bool = False) -> list[tuple[int, Any]]:
    return list(conll.read(path, documents))


def refused(folder: Path, content: str, documents: bool = False) -> str:
    path = written(folder / "a.conll", content)
    return refusal(lambda: conll.read(path, documents)).removeprefix(f"{path}: ")


@pytest.mark.parametrize(
    "content",
    [
        "Ann\tB-PER\nLee\tI-PER\nran\tO\n",
        "Ann B-PER\nLee I-PER\nran O",
        "\n\nAnn NNP B-NP B-PER\nLee  NNP I-NP  I-PER \r\nran VBD O O\n\n \n",
        "\ufeffAnn\tx\ty\tz\tI-PER\nLee\tI-PER\nran\tO\n",
        "-DOCSTART- -X- O O\n\nAnn S X B-PER\nLee S X I-PER\nran V X O\n",
        "-DOCSTART- O\nAnn B-PER\nLee E-PER\nran O\n",
        "# a comment\n#\nAnn B-PER\nLee I-PER\nran O\n",
        "Ann PER\nLee PER\nran O\n",
    ],
)
def test_tokens_and_tags_become_a_text_with_spans_however_they_are_laid_out(tmp_path: Path, content: str) -> None:
    [(_, row)] = rows(written(tmp_path / "a.conll", content))
    assert row == {"text": "Ann Lee ran", "target": cells((0, 7, "PER"))}


def test_every_sentence_is_a_row_with_the_line_that_it_begins_on(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", "-DOCSTART-\tO\n\nAnn\tB-PER\n\n\n# sent_id = s 2\nin\tO\nRome\tB-LOC\n")
    assert rows(path) == [
        (3, {"text": "Ann", "target": cells((0, 3, "PER"))}),
        (7, {"id": "s 2", "text": "in Rome", "target": cells((3, 7, "LOC"))}),
    ]


def test_the_sentences_of_a_document_can_be_joined(tmp_path: Path) -> None:
    content = "-DOCSTART- O\n\n# id = d1\nAnn B-A\n\nin O\nRome B-B\n\n-DOCSTART- O\n\nBob B-A\n"
    assert rows(written(tmp_path / "a.conll", content), documents=True) == [
        (4, {"id": "d1", "text": "Ann\nin Rome", "target": cells((0, 3, "A"), (7, 11, "B"))}),
        (11, {"text": "Bob", "target": cells((0, 3, "A"))}),
    ]
    assert "a.conll:1: a sentence before any -DOCSTART-" in refused(tmp_path, "Ann B-A\n", documents=True)


@pytest.mark.parametrize(
    ("line", "other", "token"),
    [
        ("#\tO", "x\tB-A", "#"),
        ("# O", "x B-A", "#"),
        ("#idea\tO", "x\tB-A", "#idea"),
        ("# NN I-NP O", "x NN B-NP B-A", "#"),
        ("#1 B-A", "x B-A", "#1"),
        ("#Brexit MISC", "x O", "#Brexit"),
        ("#Brexit NN MISC", "x VB O", "#Brexit"),
    ],
)
def test_a_hash_can_be_a_token_at_the_head_of_a_sentence(tmp_path: Path, line: str, other: str, token: str) -> None:
    [(_, row)] = rows(written(tmp_path / "a.conll", f"{line}\n{other}\n"))
    assert row["text"] == f"{token} x"


def test_a_hashtag_with_a_bare_tag_is_an_entity_even_in_a_sentence_of_its_own(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", "#Brexit MISC\n\n# a remark\n#remark\n# another longer remark\nAnn PER\nx O\n")
    assert [row for _, row in rows(path)] == [
        {"text": "#Brexit", "target": cells((0, 7, "MISC"))},
        {"text": "Ann x", "target": cells((0, 3, "PER"))},
    ]


def test_a_file_in_which_every_line_begins_with_a_hash_holds_tokens(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", "#remark\n#\tO\n\n#one\tB-A\n")
    assert [row["text"] for _, row in rows(path)] == ["#", "#one"]


@pytest.mark.parametrize("remark", ["#remark", "#a remark of five words", "# a", "# option O of three", "#vote now"])
def test_lines_of_another_shape_above_a_sentence_are_comments(tmp_path: Path, remark: str) -> None:
    [(_, row)] = rows(written(tmp_path / "a.conll", f"{remark}\nx\tB-A\n"))
    assert row["text"] == "x"


def test_names_in_comments_end_at_a_tab(tmp_path: Path) -> None:
    [(_, row)] = rows(written(tmp_path / "a.conll", "# id 12-ab\tdomain=en\nx _ _ B-A\n"))
    assert (row["id"], row["text"]) == ("12-ab", "x")


@pytest.mark.parametrize("line", ["Rome", "a b\tO", "\tO", "Rome\t"])
def test_a_line_that_is_no_token_with_a_tag_spoils_its_sentence_alone(tmp_path: Path, line: str) -> None:
    path = written(tmp_path / "a.conll", f"Ann\tB-PER\n{line}\nx\n\nBob\tB-PER\n")
    (number, error), (_, row) = rows(path)
    assert number == 2
    assert str(error).endswith("expected a token and its tag, with a tab or a space between them")
    assert row["text"] == "Bob"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("The quick dog\nran away fast\n", "a.conll:1: 'dog' is no tag; expected O"),
        ("x\tO\n" * 100_001, "a.conll:100001: a text of more than 100,000 tokens; expected an empty line"),
        ("-DOCSTART- O\n" + "x\tO\n\n" * 100_001, "a text of more than 100,000 tokens"),
    ],
)
def test_a_file_that_is_no_columns_is_refused_as_a_whole(tmp_path: Path, content: str, reason: str) -> None:
    assert reason in refused(tmp_path, content, documents=content.startswith("-"))


def test_a_file_that_is_missing_or_no_text_is_told(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(lambda: conll.read(tmp_path / "missing.conll"))
    (tmp_path / "a.conll").write_bytes(b"caf\xe9 O\n")
    assert "not UTF-8" in refusal(lambda: conll.read(tmp_path / "a.conll"))


def test_lines_with_another_number_of_columns_are_told(tmp_path: Path) -> None:
    odd = "# a remark of many words\nAnn B-PER\nin O\nNew York B-LOC\n\n-DOCSTART- -X- O\n\nLos Angeles B-LOC\nx O\n"
    told = conll.uneven(written(tmp_path / "a.conll", odd))
    assert told is not None
    assert told.startswith(f"{tmp_path}/a.conll:4: 3 columns, where most lines have 2 (2 of 5 have not); only ")
    assert conll.uneven(written(tmp_path / "a.conll", "# a b c d\n-DOCSTART- x y\n\nAnn NN B-PER\nx  NN O\n")) is None
    assert conll.uneven(written(tmp_path / "a.conll", "New York\tB-LOC\nx\tO\n")) is None


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("Ann\nin\n\n#Brexit\n", [{"text": "Ann in"}, {"text": "#Brexit"}]),
        ("Ann FOO\nin B-LOC\nx O\n", [{"text": "Ann in x"}]),
        (
            "# id = a\nAnn B-PER\nin\n\nBob\tB-PER\n",
            [
                {"id": "a", "text": "Ann in"},
                {"text": "Bob", "target": cells((0, 3, "PER"))},
            ],
        ),
    ],
)
def test_tokens_can_be_read_whose_tags_are_wrong_or_missing(
    tmp_path: Path, content: str, rows: list[dict[str, Any]]
) -> None:
    path = written(tmp_path / "a.conll", content)
    assert [row for _, row in conll.read(path, lenient=True)] == rows
    assert "expected" in refused(tmp_path, content)


def test_a_token_that_is_none_is_refused_with_or_without_tags(tmp_path: Path) -> None:
    path = written(tmp_path / "a.conll", "Ann\tO\na b\tO\n")
    assert "a.conll:2" not in refusal(lambda: conll.read(path, lenient=True))
    [(number, error)] = conll.read(path, lenient=True)
    assert (number, "found 'a b\\tO'" in str(error)) == (2, True)
    assert "cannot be read" in refusal(lambda: conll.read(tmp_path / "missing.conll", lenient=True))


@pytest.mark.parametrize(
    ("content", "tags"),
    [
        ("# a remark\nAnn B-PER\nran O\n", True),
        ("Ann PER\nLee PER\nran O\n", True),
        ("Ann B-PER\nin O\nNew York B-LOC\n", True),
        ("Ann Lee\nBob left for Rome.\n", False),
        ("We took the I-95\n", False),
        ("Ann\nLee\nO\n", False),
        ("Plan B or plan O\nand nothing else\nat all\n", False),
        ("", False),
    ],
)
def test_whether_lines_end_with_tags_is_told_by_the_head_of_a_file(tmp_path: Path, content: str, tags: bool) -> None:
    assert conll.holds_tags(written(tmp_path / "a.txt", content)) is tags


@in_one_folder
@given(texts, st.sampled_from(["bio2", "iob1", "bioes"]))
def test_what_is_written_is_read_back_over_the_joined_text(
    tmp_path: Path, marked: list[MarkedText], scheme: Scheme
) -> None:
    write(tmp_path / "a.conll", marked, "conll", scheme)
    read = [row for _, row in rows(tmp_path / "a.conll")]
    assert [row.get("id") for row in read] == [text.id for text in marked]
    for row, text in zip(read, marked, strict=True):
        assert row["text"] == " ".join(token for token, _ in tagged(text.text, text.spans, scheme))
        assert [(joined(row["text"][cell["start"] : cell["end"]]), cell["type"]) for cell in row["target"]] == [
            (joined(text.text[start:end]), type_) for start, end, type_ in text.spans
        ]


def test_a_text_without_words_leaves_its_name_alone(tmp_path: Path) -> None:
    blank = [MarkedText(text=" ", spans=(), id="b"), MarkedText(text="\n", spans=())]
    write(tmp_path / "a.conll", [MarkedText(text="Ann", spans=()), *blank, MarkedText(text="Bob", spans=())], "conll")
    assert [row["text"] for _, row in rows(tmp_path / "a.conll")] == ["Ann", "Bob"]
    assert "# id = b\n\n" in (tmp_path / "a.conll").read_text()


@in_one_folder
@given(texts)
def test_what_was_read_is_written_again_as_it_was(tmp_path: Path, marked: list[MarkedText]) -> None:
    write(tmp_path / "a.conll", marked, "conll")
    again = [
        MarkedText(text=row["text"], spans=tuple(Span(**cell) for cell in row["target"]), id=row.get("id"))
        for _, row in rows(tmp_path / "a.conll")
    ]
    write(tmp_path / "b.conll", again, "conll")
    assert (tmp_path / "b.conll").read_bytes() == (tmp_path / "a.conll").read_bytes()


@in_one_folder
@given(st.text(st.characters(exclude_categories=["Cs"])) | st.text("ab#-O \t\n"))
def test_whatever_stands_in_a_file_it_is_read_or_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "a.conll").write_text(content, encoding="utf-8")
    try:
        read = rows(tmp_path / "a.conll")
    except DataError:
        return
    for _, row in read:
        assert isinstance(row, DataError) or all(row["text"][cell["start"] : cell["end"]] for cell in row["target"])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (MarkedText(text="a \ud83d", spans=()), "half a character"),
        (MarkedText(text="a", spans=(), id="\ud83d"), "half a character"),
        (MarkedText(text="a", spans=(Span(0, 1, "A\tB"),)), "holds white space"),
        (MarkedText(text="a", spans=(Span(0, 1, "A "),)), "holds white space"),
    ],
)
def test_what_columns_cannot_hold_is_refused_and_nothing_is_left(tmp_path: Path, text: MarkedText, reason: str) -> None:
    with pytest.raises(DataError, match=reason):
        write(tmp_path / "a.conll", [MarkedText(text="x", spans=()), text], "conll")
    assert list(tmp_path.iterdir()) == []


def joined(text: str) -> str:
    return "".join(text.split())
