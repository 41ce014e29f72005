from hypothesis import given
from hypothesis import strategies as st

from understudy.data import disk_map
from understudy.data.disk_map import DiskMap


@given(st.lists(st.tuples(st.binary(max_size=3), st.integers(-(2**63), 2**63 - 1))))
def test_it_behaves_like_a_dict_whatever_is_on_the_disk_already(pairs: list[tuple[bytes, int]]) -> None:
    batch, disk_map._BATCH = disk_map._BATCH, 3
    try:
        with DiskMap[int]() as found:
            expected: dict[bytes, int] = {}
            for key, value in pairs:
                assert found.get(key) == expected.get(key)
                found.put(key, value)
                expected[key] = value
            assert {key: found.get(key) for key in expected} == expected
            assert len(found) == len(expected)
    finally:
        disk_map._BATCH = batch


def test_the_first_value_stays_with_setdefault() -> None:
    with DiskMap[int]() as found:
        assert found.setdefault(b"a", 1) == 1
        assert found.setdefault(b"a", 2) == 1
        assert found.get(b"b") is None


def test_values_may_be_bytes() -> None:
    with DiskMap[bytes]() as found:
        found.put(b"a", b"\x00\xff")
        assert len(found) == 1
        assert found.get(b"a") == b"\x00\xff"
