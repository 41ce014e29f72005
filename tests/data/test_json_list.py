import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from understudy.data import json_list
from understudy.data.json_list import json_lines, read_list
from understudy.errors import DataError

_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_values = st.recursive(
    st.none() | st.booleans() | st.integers() | _text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_text, inner, max_size=3),
    max_leaves=8,
)
_elements = st.lists(_values, max_size=3) | st.dictionaries(_text, _values, max_size=3)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(st.lists(_elements, max_size=6), st.sampled_from([None, 1]), st.booleans(), st.integers(1, 9))
def test_elements_come_one_at_a_time_whatever_is_read_at_a_time(
    tmp_path: Path, elements: list[object], indent: int | None, ascii_only: bool, chunk: int
) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(elements, indent=indent, ensure_ascii=ascii_only), encoding="utf-8")
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(json_list, "_CHUNK", chunk)
        assert list(read_list(path)) == list(enumerate(elements, start=1))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "found '', where '[' was expected"),
        ("12", "found '1', where '[' was expected"),
        ("{} 12", "item 2: found '12'; expected an object or a list"),
        ('{}\n{"a": nul}', "item 2: not JSON ("),
        ("[{}", "found '', where ',' was expected"),
        ("[{} {}]", "found '{', where ',' was expected"),
        ("[{},]", "item 2: found ']'; expected an object or a list"),
        ("[{}, 12]", "item 2: found '12]'; expected an object or a list"),
        ("[,", "item 1: found ',"),
        ('[{"a": nul}]', "item 1: not JSON ("),
        ('[{"a": 1', "item 1: not JSON ("),
        ("[{}] x", "found 'x', where the end of the file was expected"),
        ("[" * 100_000, "item 1: not JSON ("),
    ],
)
def test_what_is_no_list_of_objects_is_refused(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(DataError) as caught:
        list(read_list(tmp_path / "a.json"))
    assert str(caught.value).startswith(str(tmp_path / "a.json"))
    assert reason in str(caught.value)


def test_an_element_that_never_ends_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_list, "_LONGEST", 100)
    monkeypatch.setattr(json_list, "_CHUNK", 50)
    (tmp_path / "a.json").write_text('[{"a": "' + "x" * 100_000)
    read: list[int] = []
    read_on = json_list._Text._read_on

    def noting(text: json_list._Text) -> bool:
        read.append(1)
        return read_on(text)

    monkeypatch.setattr(json_list._Text, "_read_on", noting)
    with pytest.raises(DataError, match="item 1: not JSON"):
        list(read_list(tmp_path / "a.json"))
    assert len(read) < 6


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.lists(st.dictionaries(_text, _values, max_size=3), max_size=5), st.booleans())
def test_what_is_written_as_a_list_or_in_lines_is_read_back(
    tmp_path: Path, records: list[dict[str, object]], listed: bool
) -> None:
    path = tmp_path / "a.json"
    path.write_text("".join(json_lines(records, listed=listed)), encoding="utf-8")
    if listed:
        assert json.loads(path.read_text(encoding="utf-8")) == records
    if listed or records:
        assert list(read_list(path)) == list(enumerate(records, start=1))
