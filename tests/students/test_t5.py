from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from tests.students import small
from tests.students.sequences.tiny import FROM_HUB, FROM_SCRATCH, one_thread, reasoned, write_tiny
from understudy import registry
from understudy.errors import MissingExtra, ModelError
from understudy.example import Example, Prediction
from understudy.progress import Silent
from understudy.students.sequences import learning
from understudy.students.student import load
from understudy.students.t5 import T5
from understudy.tasks.classification import Classification
from understudy.tasks.task import Task
from understudy.training.mixtures import Mixture

ANNOTATED = small.examples("annotated", 24, shift=4)
TINY: dict[str, Any] = {**FROM_SCRATCH, "batch_size": 8}


def fitted(examples: list[Example], task: Task = small.TASK, **settings: Any) -> T5:
    student = T5(**{**TINY, **settings})
    with one_thread():
        student.fit(Mixture.named("distilled", [], examples), [], task, Silent())
    return student


def answers(examples: list[Example], task: Task = small.TASK, **settings: Any) -> list[Prediction]:
    return fitted(examples, task, **settings).predict(small.TEXTS)


def sources(
    monkeypatch: pytest.MonkeyPatch, examples: list[Example], task: Task, *, whole: bool = False, **settings: Any
) -> set[str]:
    """What stands before the first colon of everything that is learned from, or all of it."""
    seen: list[str] = []
    tensors = learning.tensors

    def spied(tokens: Any, pairs: list[learning.Pair], rows: int | None = None) -> Any:
        seen.extend(pair.source for pair in pairs)
        return tensors(tokens, pairs, rows)

    monkeypatch.setattr(learning, "tensors", spied)
    fitted(examples, task, **settings)
    return {source if whole else source.split(":")[0] for source in seen}


def test_it_learns() -> None:
    student = T5(model="scratch", scratch={"d_model": 32}, max_source=32, epochs=15, batch_size=8, learning_rate=5e-3)
    with one_thread():
        fit = student.fit(small.mixture(), small.VALIDATION, small.TASK, Silent())
    assert [round(u, 2) for u, _ in fit.history] == [0.25, 0.5, 0.75, 1.0]
    assert small.right(student.predict(small.TEXTS)) >= 0.9


@pytest.mark.parametrize(
    ("task", "examples", "prefix"),
    [
        (small.TASK, small.examples("annotated", 9), "classify"),
        (small.NER_TASK, small.marked("annotated", 9), "tag"),
        (small.SUMMARY_TASK, small.summarized("annotated", 9), "summarize"),
        (small.REWRITE_TASK, small.summarized("annotated", 9), "Keep the sentence that matters."),
    ],
)
def test_each_task_has_a_prefix_of_its_own(
    task: Task, examples: list[Example], prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sources(monkeypatch, examples, task) == {prefix}
    assert sources(monkeypatch, examples, task, prefix="do: ") == {"do"}


def test_reasons_are_learned_beside_answers_where_they_shall_count(monkeypatch: pytest.MonkeyPatch) -> None:
    explained = reasoned(ANNOTATED)
    assert sources(monkeypatch, explained, small.TASK) == {"classify"}
    assert sources(monkeypatch, explained, small.TASK, rationale_weight=0.5) == {"classify", "explain"}
    assert sources(monkeypatch, ANNOTATED, small.TASK, rationale_weight=0.5) == {"classify"}


def test_gold_is_learned_without_reasons_beside_what_the_teacher_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    gold = [replace(example, text=f"gold {example.text}") for example in small.examples("gold", 24)]
    learned_from = sources(monkeypatch, [*gold, *reasoned(ANNOTATED)], small.TASK, rationale_weight=0.5, whole=True)
    assert any(source.startswith("classify: gold ") for source in learned_from)
    assert {source.split()[1] for source in learned_from if source.startswith("explain:")}.isdisjoint({"gold"})


@pytest.mark.parametrize(
    ("examples", "weight", "told"),
    [(reasoned(ANNOTATED), 0.5, False), (ANNOTATED, 0.0, False), (ANNOTATED, 0.5, True)],
)
def test_it_tells_where_there_are_no_reasons_to_learn(examples: list[Example], weight: float, told: bool) -> None:
    heard: list[str] = []

    class Listening(Silent):
        def say(self, line: str) -> None:
            heard.append(line)

    with one_thread():
        mixture = Mixture.named("distilled", [], examples)
        T5(**TINY, rationale_weight=weight).fit(mixture, [], small.TASK, Listening())
    assert any("distilled: no example has reasons" in line for line in heard) == told


def test_reasons_change_what_is_learned(tmp_path: Path) -> None:
    tiny = {**FROM_HUB, "model": str(write_tiny("t5", tmp_path / "t5"))}
    explained = reasoned(ANNOTATED)
    assert answers(explained, **tiny) == answers(ANNOTATED, **tiny)
    half, whole = (answers(explained, rationale_weight=weight, **tiny) for weight in (0.5, 1.0))
    assert answers(ANNOTATED, **tiny) != half != whole


def test_entities_are_learned_without_reasons_for_the_whole_text(monkeypatch: pytest.MonkeyPatch) -> None:
    explained = reasoned(small.marked("annotated", 9))
    assert sources(monkeypatch, explained, small.NER_TASK, rationale_weight=1.0) == {"tag"}


def test_soft_labels_are_drawn_from() -> None:
    wrong = {"sport": 0.0, "money": 0.0, "science": 1.0}
    misled = [replace(example, soft=wrong) for example in ANNOTATED]
    even = [replace(example, soft=dict.fromkeys(small.TASK.labels, 1 / 3)) for example in ANNOTATED]
    assert {answer.target for answer in answers(misled, epochs=20)} == {"science"}
    assert answers(even) == answers(even) != answers(ANNOTATED)


def test_labels_that_the_tokenizer_cannot_tell_apart_are_told_apart(tmp_path: Path) -> None:
    labels = ["goal!unknown", "goal!unheard-of"]
    task = Classification(labels=labels)
    examples = [replace(example, target=labels[place % 2]) for place, example in enumerate(ANNOTATED)]
    tiny = write_tiny("t5", tmp_path / "t5")
    student = fitted(examples, task, **{**FROM_HUB, "model": str(tiny)})
    confidence = [answer.confidence or 0.0 for answer in student.predict(small.TEXTS)]
    assert max(confidence) > 0.5  # as likely as each other to the last digit, they would have half each
    student.save(tmp_path / "model")
    assert load(tmp_path / "model").predict(small.TEXTS) == student.predict(small.TEXTS)


def test_labels_that_cannot_be_told_apart_at_all_are_refused(tmp_path: Path) -> None:
    examples = [replace(example, target="x") for example in ANNOTATED]
    tiny = write_tiny("t5", tmp_path / "t5")
    with pytest.raises(ModelError, match="one and the same"):
        fitted(examples, Classification(labels=["x", "y", "z", "w"]), **{**FROM_HUB, "model": str(tiny)})


def test_beams_reach_the_answers() -> None:
    student = fitted(small.summarized("annotated", 9), small.SUMMARY_TASK)
    greedy = student.predict(small.TEXTS)
    student.search = {"beams": 4, "no_repeat_ngram": 1}
    wide = T5(**registry.settings(student))
    with one_thread():
        wide.fit(Mixture.named("distilled", [], small.summarized("annotated", 9)), [], small.SUMMARY_TASK, Silent())
    assert wide.predict(small.TEXTS) != greedy


def test_without_its_packages_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "tokenizers", None)
    for model in ("scratch", "bundled", "t5-small"):
        with pytest.raises(MissingExtra, match=r"the t5 student needs .*understudy\[encoder\]"):
            T5(model=model).check_available()


def test_its_settings_can_be_looked_at_without_torch() -> None:
    modules = small.modules_after("from understudy.students.t5 import T5; T5()")
    assert not modules & {"torch", "numpy", "transformers", "tokenizers"}
