import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from tests.students import small
from understudy.errors import ModelError
from understudy.example import Example, is_whole
from understudy.progress import Silent
from understudy.students.lstm import LSTM
from understudy.students.student import load
from understudy.tasks.summarization import Summarization
from understudy.tasks.text2text import TextToText
from understudy.training.mixtures import Mixture

SETTINGS: dict[str, Any] = {"embedding_size": 24, "hidden_size": 24, "batch_size": 16, "learning_rate": 2e-2}


def name_of(draw: random.Random) -> str:
    """A name that nobody has heard before."""
    return "".join(draw.choice("bdgklmnrst") + draw.choice("aeiou") for _ in range(4)).title()


def races(count: int, seed: int) -> list[Example]:
    """Who won, among others that took part: the name stands in the text, and in no other."""
    draw = random.Random(seed)
    made = []
    for number in range(count):
        first, winner, last = (name_of(draw) for _ in range(3))
        text = draw.choice(
            [
                f"{first} fell early. {winner} won the race before {last}.",
                f"The race went on; {winner} won it, and {first} and {last} did not.",
            ]
        )
        made.append(Example(id=f"{seed}-{number}", text=text, target=f"{winner} was first.", source="gold"))
    return made


@pytest.fixture(scope="module")
def student() -> LSTM:
    student = LSTM(epochs=8, **SETTINGS)
    student.fit(Mixture.named("gold", races(200, 0), []), races(20, 1), Summarization(), Silent())
    return student


@pytest.fixture
def folder(student: LSTM, tmp_path: Path) -> Path:
    student.save(tmp_path / "model")
    return tmp_path / "model"


def test_names_that_were_never_seen_are_copied(student: LSTM, folder: Path) -> None:
    unseen = races(40, 2)
    known = json.loads((folder / "vocabulary.json").read_text(encoding="utf-8"))["words"]
    assert not {f" {str(example.target).split()[0]}" for example in unseen} & set(known)
    answers = student.predict([example.text for example in unseen])
    right = sum(answer.target == example.target for answer, example in zip(answers, unseen, strict=True))
    assert right >= 36


def test_a_sure_answer_is_more_probable_than_a_guess(student: LSTM) -> None:
    known, guess = student.predict([races(1, 5)[0].text, "Nothing of the kind was ever said here"])
    assert (known.confidence or 0) > (guess.confidence or 1)


def test_answers_are_texts_and_never_empty_where_there_are_words(student: LSTM) -> None:
    for text, answer in zip(small.STRANGE, student.predict(small.STRANGE), strict=True):
        assert isinstance(answer.target, str)
        assert is_whole(answer.target)
        assert bool(answer.target.strip()) == bool(text.strip())
        assert len(answer.target) < 2_000


def test_answers_are_no_longer_than_the_targets_were(student: LSTM) -> None:
    texts = ["won the race before " * 50, *(example.text for example in races(20, 3))]
    assert all(len(str(answer.target).split()) <= 4 for answer in student.predict(texts))


def test_fit_says_how_its_texts_scored() -> None:
    student = LSTM(epochs=1, **SETTINGS)
    fit = student.fit(Mixture.named("gold", races(32, 0), []), races(5, 1), Summarization(), Silent())
    assert fit.steps == 2
    assert [u for u, _ in fit.history] == [0.5, 1.0]
    assert all(0 <= score <= 1 for _, score in fit.history)


def test_weightless_examples_are_not_learned_from() -> None:
    told = races(120, 0)
    misled = [Example(id=f"w{e.id}", text=e.text, target="Nobody won", weight=0.0, source="gold") for e in told]
    student = LSTM(epochs=6, **SETTINGS)
    student.fit(Mixture.named("gold", [*told, *misled], []), [], Summarization(), Silent())
    answers = student.predict([example.text for example in races(20, 4)])
    assert not any("Nobody" in str(answer.target) for answer in answers)


def records(count: int, seed: int) -> list[Example]:
    """Who lives where, in JSON: all values stand between the same marks, and the names nowhere else."""
    draw = random.Random(seed)
    made = []
    for number in range(count):
        name, city = name_of(draw), name_of(draw)
        target = json.dumps({"name": name, "city": city})
        made.append(Example(id=f"{seed}-{number}", text=f"{name} lives in {city}.", target=target, source="gold"))
    return made


def test_json_is_learned() -> None:
    student = LSTM(epochs=20, **SETTINGS)
    student.fit(Mixture.named("gold", records(160, 0), []), [], TextToText(instruction="Put it in JSON."), Silent())
    unseen = records(20, 1)
    answers = student.predict([example.text for example in unseen])
    assert sum(answer.target == example.target for answer, example in zip(answers, unseen, strict=True)) >= 18


def test_words_of_other_texts_in_the_batch_are_never_written() -> None:
    long = [Example(id=word, text=f"{word} ok", target="ok " * 30, source="gold") for word in "abcdefgh"]
    student = LSTM(epochs=1, embedding_size=8, hidden_size=4)
    student.fit(Mixture.named("gold", long, []), [], Summarization(), Silent())
    alone = student.predict(["one"])[0].target
    assert student.predict(["one", "a b c d e f g h i j k l m n o p"])[0].target == alone


def test_line_breaks_are_learned() -> None:
    lines = [Example(id=str(n), text=f"one {n} two", target=f"one\n{n}\ntwo", source="gold") for n in range(60)]
    student = LSTM(epochs=12, **SETTINGS)
    student.fit(Mixture.named("gold", lines, []), [], Summarization(), Silent())
    assert student.predict(["one 77 two"])[0].target == "one\n77\ntwo"


def test_vectors_of_a_file_are_started_from(tmp_path: Path) -> None:
    vectors = tmp_path / "vectors.txt"
    vectors.write_text("won 1 0 0\nrace 0 1 0\nfirst 0 0 1\n")
    student = LSTM(vectors=str(vectors), hidden_size=4, epochs=1)
    student.fit(Mixture.named("gold", races(32, 0), []), [], Summarization(), Silent())
    student.save(tmp_path / "model")
    vectors.unlink()
    texts = [example.text for example in races(5, 1)]
    assert load(tmp_path / "model").predict(texts) == student.predict(texts)


HABITS = {"shortest": 2, "longest": 5, "stutters": False, "repeats": False}


def set_(key: str, to: Any) -> Callable[[dict[str, Any]], object]:
    return lambda vocabulary: vocabulary.update({key: to})


@pytest.mark.parametrize(
    "harm",
    [
        set_("habits", {**HABITS, "shortest": 9}),
        set_("habits", {**HABITS, "longest": 10**12}),
        set_("habits", [1, 2, True, True]),
        set_("words", ["a", "b"]),
        lambda vocabulary: vocabulary.pop("habits"),
        lambda vocabulary: vocabulary["words"].pop(),
    ],
)
def test_a_broken_vocabulary_is_a_model_error(folder: Path, harm: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "vocabulary.json"
    vocabulary = json.loads(path.read_text(encoding="utf-8"))
    harm(vocabulary)
    path.write_text(json.dumps(vocabulary), encoding="utf-8")
    with pytest.raises(ModelError):
        load(folder)
