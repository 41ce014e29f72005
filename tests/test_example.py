import json
from dataclasses import FrozenInstanceError
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.errors import DataError
from understudy.example import Example, Prediction, Source, Span, is_whole, target_from_json, target_to_json, whole

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_spans = st.lists(st.builds(Span, st.integers(0, 99), st.integers(0, 99), st.text()), max_size=3).map(tuple)
_targets = st.none() | st.text() | _spans
_examples = st.builds(
    Example,
    id=st.text(),
    text=st.text(min_size=1),
    target=_targets,
    soft=st.none() | st.dictionaries(st.text(), st.floats(0, 1), max_size=3),
    source=st.sampled_from(get_args(Source)),
    weight=st.floats(0, 10),
    meta=st.dictionaries(st.text(), _values, max_size=3),
)


@given(_examples)
def test_an_example_comes_back_from_json_as_it_was(example: Example) -> None:
    assert Example.from_json(json.loads(json.dumps(example.to_json()))) == example


def test_what_is_absent_or_as_usual_is_not_written() -> None:
    assert Example(id="a", text="b").to_json() == {"id": "a", "text": "b", "source": "pool"}


def test_an_empty_tuple_of_spans_is_an_answer_and_no_answer_is_none() -> None:
    assert Example.from_json(Example(id="a", text="b", target=()).to_json()).target == ()
    assert Example.from_json(Example(id="a", text="b").to_json()).target is None


@given(_targets)
def test_a_target_comes_back_from_json_as_it_was(target: Any) -> None:
    value = None if target is None else target_to_json(target)
    assert target_from_json(json.loads(json.dumps(value))) == target


@pytest.mark.parametrize(
    "harm",
    [
        {"id": None},
        {"id": 3},
        {"text": None},
        {"text": ["b"]},
        {"source": "golden"},
        {"source": ["gold"]},
        {"target": 5},
        {"target": {"start": 0}},
        {"target": [{"start": "x", "end": 1, "type": "PER"}]},
        {"target": [{"end": 1, "type": "PER"}]},
        {"weight": "heavy"},
        {"weight": None},
        {"weight": [1]},
        {"weight": 10**400},
        {"target": [{"start": float("inf"), "end": 1, "type": "PER"}]},
    ],
)
def test_what_is_not_an_example_record_is_refused(harm: dict[str, Any]) -> None:
    with pytest.raises(DataError, match="not an example record"):
        Example.from_json({"id": "a", "text": "b", "source": "gold", **harm})


@pytest.mark.parametrize("key", ["id", "text", "source"])
def test_a_record_without_a_key_names_it(key: str) -> None:
    record = {"id": "a", "text": "b", "source": "gold"}
    del record[key]
    with pytest.raises(DataError, match=key):
        Example.from_json(record)


@given(st.dictionaries(st.sampled_from(["id", "text", "source", "target", "soft", "weight", "meta"]), _values))
def test_any_other_object_is_an_example_or_a_data_error(record: dict[str, Any]) -> None:
    try:
        example = Example.from_json(record)
    except DataError:
        return
    assert isinstance(example.id, str)
    assert isinstance(example.text, str)


@given(st.text(), st.none() | st.floats(0, 1))
def test_a_prediction_comes_back_from_json_to_six_figures(target: str, confidence: float | None) -> None:
    back = Prediction.from_json(json.loads(json.dumps(Prediction(target, confidence).to_json())))
    assert back.target == target
    assert back.confidence == (None if confidence is None else pytest.approx(confidence, abs=5e-7))


def test_a_refused_answer_stays_none() -> None:
    assert Prediction.from_json(Prediction(None).to_json()) == Prediction(None, None)


def test_an_example_cannot_be_changed() -> None:
    example = Example(id="a", text="b")
    with pytest.raises(FrozenInstanceError):
        example.text = "c"  # type: ignore[misc]


@given(st.text(alphabet=st.characters() | st.characters(categories=["Cs"])))
def test_a_text_made_whole_keeps_its_length_and_every_whole_character(text: str) -> None:
    made = whole(text)
    assert is_whole(made)
    assert len(made) == len(text)
    assert all(new == (old if is_whole(old) else "\ufffd") for new, old in zip(made, text, strict=True))


def test_two_halves_side_by_side_stay_two_characters() -> None:
    assert whole("a\ud83d\ude00b\udc00") == "a\ufffd\ufffdb\ufffd"
