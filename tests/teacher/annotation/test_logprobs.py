import json
import math
import time
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.teacher.annotation.logprobs import label_distribution

Entry = dict[str, Any]
Chances = Mapping[str, float]
T = TypeVar("T")

TRICKY = ["sport", "sports", "spa", 'say "so"', "politics", "police", "größe", "gr", "日本", "日曜", "back\\slash"]


def entry(spelling: bytes, chance: float, alternatives: Mapping[bytes, float] | None = None) -> Entry:
    top = [entry(other, probability) for other, probability in (alternatives or {}).items()]
    logprob = math.log(chance) if chance else -9999.0
    return {
        "token": spelling.decode("utf-8", "replace"),
        "logprob": logprob,
        "bytes": list(spelling),
        "top_logprobs": top,
    }


def choice(content: Any, reply: Any = None) -> dict[str, Any]:
    if reply is None:
        reply = b"".join(bytes(token["bytes"]) for token in content).decode()
    return {"message": {"role": "assistant", "content": reply}, "logprobs": {"content": content}}


def of(label: str, **keys: str) -> str:
    return json.dumps({**keys, "label": label}, ensure_ascii=False)


def split(*pieces: str, **alternatives: Mapping[str, float]) -> list[Entry]:
    """A reply in these pieces, each certain but where alternatives are given under ``at_<place>``."""
    content = []
    for place, piece in enumerate(pieces):
        chances = {spelling.encode(): chance for spelling, chance in alternatives.get(f"at_{place}", {}).items()}
        content.append(entry(piece.encode(), chances.get(piece.encode(), 1.0), chances))
    return content


def test_the_alternatives_of_a_label_in_one_token_are_its_distribution() -> None:
    content = split('{"', "label", '":', ' "', "sport", '"}', at_4={"sport": 0.7, "money": 0.2, "science": 0.1})
    found = label_distribution(choice(content), ["science", "sport", "money", "weather"])
    assert found == pytest.approx({"science": 0.1, "sport": 0.7, "money": 0.2})
    assert list(found or ()) == ["science", "sport", "money"]


def test_labels_that_begin_alike_are_told_apart_where_they_part() -> None:
    content = split('{"label": "', "sport", '"}', at_1={"sport": 0.8, "po": 0.2}, at_2={'"}': 0.75, "s": 0.25})
    found = label_distribution(choice(content), ["sport", "sports", "politics", "police", "weather"])
    assert found == pytest.approx({"sport": 0.6, "sports": 0.2, "politics": 0.1, "police": 0.1})


def test_an_alternative_that_can_be_no_label_is_left_out() -> None:
    content = split('{"label": "', "sport", '"}', at_1={"sport": 0.3, "money": 0.1, "I": 0.5, "sporty": 0.1})
    assert label_distribution(choice(content), ["sport", "money"]) == pytest.approx({"sport": 0.75, "money": 0.25})


def test_other_ways_to_begin_the_same_label_count_for_it() -> None:
    content = split('{"label": "', "spo", "rt", '"}', at_1={"spo": 0.4, "sp": 0.2, "sport": 0.2, "money": 0.2})
    assert label_distribution(choice(content), ["sport", "money"]) == pytest.approx({"sport": 0.8, "money": 0.2})


def test_tokens_may_straddle_the_quotes_around_the_label() -> None:
    content = split('{"label":', ' "sport"}', at_1={' "sport"}': 0.6, ' "mon': 0.3, '"money"': 0.1})
    assert label_distribution(choice(content), ["sport", "money"]) == pytest.approx({"sport": 2 / 3, "money": 1 / 3})
    content = split('{"label":', ' "', 'sport"}', at_1={' "': 0.5, ' "money': 0.3, " ": 0.1, "\n": 0.1})
    assert label_distribution(choice(content), ["sport", "money"]) == pytest.approx({"sport": 2 / 3, "money": 1 / 3})


def test_the_label_is_found_behind_reasoning_that_quotes_it() -> None:
    reply = of("sport", reasoning='First, {"label": "money"}? No: "label"')
    content = split(reply[:-7], "sport", '"}', at_1={"sport": 0.9, "money": 0.1})
    expected = pytest.approx({"sport": 0.9, "money": 0.1})
    assert label_distribution(choice(content), ["sport", "money"]) == expected
    thought = split("<think>", of("money"), "</think>")
    assert label_distribution(choice([*thought, *content, *split("<|end|>")], reply), ["sport", "money"]) == expected


def test_another_key_may_hold_the_label() -> None:
    content = split('{"desk": "', "sport", '"}', at_1={"sport": 0.9, "money": 0.1})
    assert label_distribution(choice(content), ["sport", "money"], "desk") == pytest.approx(
        {"sport": 0.9, "money": 0.1}
    )
    assert label_distribution(choice(content), ["sport", "money"]) is None


def test_tokens_without_bytes_are_read_by_their_text() -> None:
    content = split('{"label": "', "grün", '"}', at_1={"grün": 0.9, "rot": 0.1})
    for token in [*content, *content[1]["top_logprobs"]]:
        token["bytes"] = None
    assert label_distribution(choice(content, of("grün")), ["grün", "rot"]) == pytest.approx({"grün": 0.9, "rot": 0.1})


def test_a_label_in_escapes_is_the_same_label() -> None:
    content = split('{"label": "', "gr", "\\u00fcn", '"}', at_1={"gr": 0.9, "rot": 0.1})
    assert label_distribution(choice(content), ["grün", "rot"]) == pytest.approx({"grün": 0.9, "rot": 0.1})


def test_what_was_written_counts_though_it_is_not_among_the_likeliest_or_all_but_impossible() -> None:
    content = split('{"label": "', "sport", '"}')
    content[1] = entry(b"sport", 0.1, {b"money": 0.9})
    assert label_distribution(choice(content), ["sport", "money"]) == pytest.approx({"sport": 0.1, "money": 0.9})
    content[1] = entry(b"sport", 0.0)
    assert label_distribution(choice(content), ["sport", "money"]) == {"sport": 1.0}


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"logprobs": None},
        {"logprobs": {"tokens": ["a"], "token_logprobs": [-1.0]}},
        choice([]),
        choice(split(of("sport")), of("money")),
        choice(split(of("weather"))),
        choice(split('{"label": "sport')),
        choice(split("sport")),
        choice(split('["label", "sport"]')),
        choice(split('{"label": 3}')),
        choice(split('{"label": ["sport"]}')),
        choice(split(of("sport")), 3),
        {**choice(split(of("sport"))), "message": None},
    ],
)
def test_without_log_probabilities_of_such_a_reply_there_is_no_distribution(broken: dict[str, Any]) -> None:
    assert label_distribution(broken, ["sport", "money"]) is None


@pytest.mark.parametrize("logprob", [math.nan, math.inf, 0.5, 10**400, "-0.1", None, [], {}])
@pytest.mark.parametrize("where", ["token", "alternative"])
def test_what_is_no_log_probability_makes_no_distribution(logprob: Any, where: str) -> None:
    content = split('{"label": "', "sport", '"}', at_1={"sport": 0.7, "money": 0.3})
    wrong = content[1] if where == "token" else content[1]["top_logprobs"][1]
    wrong["logprob"] = logprob
    assert label_distribution(choice(content), ["sport", "money"]) is None


@pytest.mark.parametrize("logprob", [-math.inf, -9999.0, -(10**400), 1e-7])
def test_extreme_log_probabilities_make_a_distribution(logprob: Any) -> None:
    content = split('{"label": "', "sport", '"}', at_1={"sport": 0.7, "money": 0.3})
    content[1]["top_logprobs"][1]["logprob"] = logprob
    assert_is_distribution(label_distribution(choice(content), ["sport", "money"]), ["sport", "money"])


def test_huge_lists_are_read_in_little_time() -> None:
    labels = [f"label {number}" for number in range(500)]
    alternatives = {f"{number}".encode(): 1e-6 for number in range(50_000)}
    content = [*split('{"label": "', "label "), entry(b"7", 0.9, alternatives), *split('"}', *["", " "] * 20_000)]
    begun = time.process_time()
    assert_is_distribution(label_distribution(choice(content), labels), labels)
    assert label_distribution(choice(split(*'{"label": "', *"x" * 50_000, '"}')), labels) is None
    assert time.process_time() - begun < 5


def assert_is_distribution(found: dict[str, float] | None, labels: Sequence[str]) -> None:
    assert found is not None
    assert set(found) <= set(labels)
    assert all(math.isfinite(share) and share > 0 for share in found.values())
    assert sum(found.values()) == pytest.approx(1)


_chances = st.dictionaries(st.sampled_from(TRICKY), st.floats(0.01, 1), min_size=1)


def normalised(chances: Mapping[T, float]) -> dict[T, float]:
    total = sum(chances.values())
    return {key: chance / total for key, chance in chances.items()}


@given(_chances, st.data())
def test_the_distribution_is_the_one_that_the_reply_was_drawn_from(chances: Chances, data: st.DataObject) -> None:
    """A tokenizer that chops at random places, the same for all labels that are still alike, loses nothing.

    Labels that leave the written one together, in one alternative, share its probability evenly.
    """
    exact = normalised(chances)
    written = data.draw(st.sampled_from(list(exact)))
    content, expected, alike, at = [], {written: exact[written]}, list(exact), 0
    while at < len(of(written).encode()):
        end = at + data.draw(st.integers(1, 6))
        groups: dict[bytes, list[str]] = {}
        for label in alike:
            groups.setdefault(of(label).encode()[at:end], []).append(label)
        masses = {piece: sum(exact[label] for label in group) for piece, group in groups.items()}
        own = of(written).encode()[at:end]
        content.append(entry(own, masses[own] / sum(masses.values()), normalised(masses)))
        alike = groups.pop(own)
        for piece, group in groups.items():
            expected.update(dict.fromkeys(group, masses[piece] / len(group)))
        at = end
    assert label_distribution(choice(content), list(exact)) == pytest.approx(expected)


@given(
    st.dictionaries(st.sampled_from(["ärger", "bank", "c\nd", "日本", '"e"', "ſ"]), st.floats(0.01, 1), min_size=1),
    st.data(),
)
def test_labels_that_begin_unlike_get_exactly_their_probabilities(chances: Chances, data: st.DataObject) -> None:
    """However each of them is chopped, in the middle of characters too."""
    exact = normalised(chances)
    written = data.draw(st.sampled_from(list(exact)))
    spellings = {label: json.dumps(label, ensure_ascii=False).encode()[1:] for label in exact}
    first = {spellings[label][: data.draw(st.integers(2, 4))]: chance for label, chance in exact.items()}
    rest = spellings[written] + b"}"
    length = next(len(piece) for piece in first if spellings[written].startswith(piece))
    content = [*split('{"label": "'), entry(rest[:length], exact[written], first)]
    while length < len(rest):
        end = length + data.draw(st.integers(1, 4))
        content.append(entry(rest[length:end], 1.0))
        length = end
    assert label_distribution(choice(content), list(exact)) == pytest.approx(exact)


_json = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5), st.lists)
_entries = st.fixed_dictionaries(
    {"token": st.sampled_from(["", "sport", '"}', "s", '{"label": "']) | _json, "logprob": st.floats(max_value=0.1)},
    optional={"bytes": _json | st.lists(st.integers(-1, 300)), "top_logprobs": _json},
)


@given(st.lists(_entries | _json) | _json, st.sampled_from([of("sport"), "", '{"label": "s', "sport", "\ud83d"]))
def test_whatever_an_endpoint_writes_there_is_a_distribution_or_none(content: Any, reply: str) -> None:
    found = label_distribution(choice(content, reply), ["sport", "s", "\ud83d"])
    if found is not None:
        assert_is_distribution(found, ["sport", "s", "\ud83d"])


@given(st.lists(_entries), st.integers(0, 12))
def test_hostile_alternatives_make_a_distribution_or_none(alternatives: list[Any], cut: int) -> None:
    reply = of("sport")
    content = [*split(reply[:cut]), {**entry(reply[cut:].encode(), 0.5), "top_logprobs": alternatives}]
    found = label_distribution(choice(content), ["sport", "s"])
    if found is not None:
        assert_is_distribution(found, ["sport", "s"])
