import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.students import small
from understudy.errors import ModelError
from understudy.progress import Silent
from understudy.students.lstm import LSTM
from understudy.students.student import load
from understudy.students.vectors import adopt_vectors, check_vectors, read_vectors, size_of

GLOVE = "the 0.1 0.2\ngoal 1 -2e-1\n. 0 0\n"


def written(folder: Path, content: str | bytes, name: str = "vectors.txt") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def as_lists(path: Path, *words: str) -> dict[str, list[float]]:
    return {word: [round(float(x), 6) for x in vector] for word, vector in read_vectors(path, words).items()}


def test_wanted_words_are_read_as_numbers_of_32_bits(tmp_path: Path) -> None:
    vectors = read_vectors(written(tmp_path, GLOVE), ["goal", "rome"])
    assert list(vectors) == ["goal"]
    assert vectors["goal"].dtype == np.float32
    assert vectors["goal"].tolist() == pytest.approx([1.0, -0.2])
    assert size_of(vectors, 7) == 2
    assert size_of({}, 7) == 7


def test_a_header_a_gzip_and_trailing_spaces_change_nothing(tmp_path: Path) -> None:
    plain = as_lists(written(tmp_path, GLOVE), "the", "goal")
    with_header = "3 2\r\n" + GLOVE.replace("\n", " \r\n")
    assert as_lists(written(tmp_path, with_header), "the", "goal") == plain
    assert as_lists(written(tmp_path, gzip.compress(GLOVE.encode()), "vectors.vec.gz"), "the", "goal") == plain
    assert as_lists(written(tmp_path, GLOVE.rstrip()), "the", "goal") == plain


def test_a_word_without_a_vector_has_that_of_its_lower_case_form(tmp_path: Path) -> None:
    path = written(tmp_path, "rome 1 2\nOslo 3 4\noslo 5 6\n")
    assert as_lists(path, "Rome", "Oslo") == {"Rome": [1, 2], "Oslo": [3, 4]}
    assert as_lists(path, "ROME", "rome") == {"ROME": [1, 2], "rome": [1, 2]}


def test_a_word_may_hold_spaces_and_the_first_of_two_counts(tmp_path: Path) -> None:
    path = written(tmp_path, "a 1 2\n. . 3 4\nat some@where 5 6\na 7 8\n")
    assert as_lists(path, "a", ". .", "at some@where") == {"a": [1, 2], ". .": [3, 4], "at some@where": [5, 6]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("the 1 2\ngoal 1\n", ":2: not as many numbers as on the lines before (2)"),
        ("the 1 2\ngoal 1 2 3\n", ":2: not as many numbers as on the lines before (2)"),
        ("5 3\nthe 1 2\n", ":2: not as many numbers as on the lines before (3)"),
        ("the 1 2\n\ngoal 1 2\n", ":2: not as many"),
        ("the\n", ":1: not as many"),
        ("the 1 2\ngoal 1 two\n", ":2: not numbers"),
        ("goal 1 nan\n", ":1: a number that is none, or far too great (nan)"),
        ("goal 1 -inf\n", ":1: a number that is none, or far too great (inf)"),
        ("goal 1 1e30\n", ":1: a number that is none, or far too great (1e+30)"),
        (b"the 1 2\ngo\xffal 1 2\n", ":2: not UTF-8"),
        ("rome 1 2\n", "no word of the texts has a vector in it"),
        ("", "no word of the texts has a vector in it"),
        (b"x" * 1_000_001, ":1: a line of over 1,000,000 bytes"),
    ],
)
def test_what_is_no_vector_is_an_error_that_names_the_line(tmp_path: Path, content: str | bytes, message: str) -> None:
    path = written(tmp_path, content)
    with pytest.raises(ModelError) as error:
        read_vectors(path, ["goal"])
    assert f"{path}{message}" in str(error.value).replace(f"{path}: ", str(path))
    assert len(str(error.value)) < 500


@pytest.mark.parametrize("content", [b"not gzip", gzip.compress(GLOVE.encode())[:-9], gzip.compress(b"x")[:12]])
def test_a_broken_or_missing_file_is_an_error(tmp_path: Path, content: bytes) -> None:
    for path in (written(tmp_path, content, "vectors.gz"), tmp_path / "missing", tmp_path):
        with pytest.raises(ModelError, match="cannot be read"):
            read_vectors(path, ["goal"])


def test_the_first_lines_tell_whether_a_file_holds_vectors(tmp_path: Path) -> None:
    check_vectors(written(tmp_path, GLOVE))
    for content, message in (("", "no vectors"), ("3 2\n", "no vectors"), ("some text here\n", "not numbers")):
        with pytest.raises(ModelError, match=message):
            check_vectors(written(tmp_path, content))


@given(content=st.binary(max_size=60) | st.text("a1 .\n-e", max_size=60).map(str.encode))
def test_any_bytes_are_vectors_or_a_model_error(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = written(tmp_path_factory.mktemp("vectors"), content)
    try:
        vectors = read_vectors(path, ["a", "1", ""])
    except ModelError:
        return
    assert {vector.shape for vector in vectors.values()} == {(size_of(vectors, 0),)}
    assert all(np.isfinite(vector).all() for vector in vectors.values())


def test_a_student_that_starts_from_vectors_needs_no_file_later(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    path = written(tmp_path, "goal 3 0 0\nmatch 3 0 0\nbank 0 3 0\nshares 0 3 0\ncell 0 0 3\nplanet 0 0 3\n")
    student = LSTM(vectors=str(path), embedding_size=16, hidden_size=8, epochs=4, batch_size=8)
    student.check_available()
    student.fit(small.mixture(), small.VALIDATION, small.TASK, Silent())
    start = student.fingerprint()
    path.write_text(GLOVE)
    assert student.fingerprint() != start
    student.save(tmp_path / "model")
    path.unlink()
    again = load(tmp_path / "model")
    assert again.predict(small.TEXTS) == student.predict(small.TEXTS)
    assert again.count_parameters() == student.count_parameters()
    with pytest.raises(ModelError, match="cannot be read"):
        student.check_available()


def test_the_given_vectors_are_where_learning_sets_out_from(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    table = torch.nn.Embedding(4, 2).weight
    before = table.detach().clone()
    adopt_vectors(read_vectors(written(tmp_path, GLOVE), ["new", "goal"]), ["new", "goal"], table)
    assert table[3].tolist() == pytest.approx([1.0, -0.2])
    assert torch.equal(table[:3], before[:3])
    assert table.requires_grad


def test_a_student_without_vectors_starts_from_nothing() -> None:
    assert LSTM().fingerprint() == {}
