"""The encoder that extracts: what it reads of a document, and that it learns along the mixture."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from safetensors.torch import load_file

from tests.students import small
from tests.students.tiny_bert import write_tiny_bert
from understudy.errors import ModelError
from understudy.example import Example
from understudy.progress import Silent
from understudy.students.encoder import Encoder
from understudy.students.extracts.extracting import _loss
from understudy.students.extracts.networks import SentenceRanker
from understudy.students.extracts.scoring import Scorer, wanted
from understudy.students.student import load
from understudy.training.mixtures import Mixture

GOLD, DISTILLED = small.summarized("gold", 30), small.summarized("annotated", 60, shift=4)
TEST = small.summarized("test", 15, shift=90)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bert(tmp_path_factory.mktemp("hub") / "tiny-bert")


def fitted(tiny: Path, mixture: Mixture, validation: Sequence[Example] = (), **settings: Any) -> Encoder:
    usual = {"epochs": 2, "batch_size": 8, "learning_rate": 1e-3, "dropout": 0.1}
    student = Encoder(model=str(tiny), **{**usual, **settings})
    student.fit(mixture, validation, small.SUMMARY_TASK, Silent())
    return student


@pytest.fixture(scope="module")
def student(tiny: Path) -> Encoder:
    return fitted(tiny, Mixture.named("union", GOLD, DISTILLED))


def scorer(student: Encoder) -> Scorer:
    found: Scorer = student._model._scorer  # type: ignore[attr-defined]
    return found


def right(student: Encoder, examples: Sequence[Example] = TEST) -> float:
    answers = student.predict([example.text for example in examples])
    pairs = zip(answers, examples, strict=True)
    return sum(answer.target == example.target for answer, example in pairs) / len(examples)


def lasts(examples: Sequence[Example]) -> list[Example]:
    """The same, their summary being the last sentence whatever it says: a lesson that contradicts the other."""
    return [replace(example, target=example.text.split(". ")[-1]) for example in examples]


def margin(student: Encoder) -> float:
    """How much higher the telling sentence scores than the last one does, where it is another."""
    documents = [example.text.replace(". ", ".\n").split("\n") for example in TEST]
    found = [
        scores[sentences.index(str(example.target))] - scores[-1]
        for scores, sentences, example in zip(scorer(student).scores(documents), documents, TEST, strict=True)
        if sentences[-1] != example.target
    ]
    return float(sum(found) / len(found))


def test_it_learns_which_sentence_matters(student: Encoder) -> None:
    assert right(student) >= 0.9


def test_it_learns_from_what_the_mixture_draws(tiny: Path) -> None:
    told_by_gold, told_by_the_other = (
        fitted(tiny, Mixture.named(name, GOLD, lasts(DISTILLED[:30]))) for name in ("gold", "distilled")
    )
    assert margin(told_by_gold) > 0 > margin(told_by_the_other)


def test_an_example_without_weight_teaches_nothing(tiny: Path) -> None:
    ignored = [replace(example, weight=0.0) for example in lasts(DISTILLED)]
    heeded = fitted(tiny, Mixture.named("union", GOLD, lasts(DISTILLED)))
    assert margin(fitted(tiny, Mixture.named("union", GOLD, ignored))) > margin(heeded)


def test_validation_is_looked_at_before_the_encoder_learns(tiny: Path) -> None:
    student = Encoder(model=str(tiny), epochs=1)
    fit = student.fit(Mixture.named("gold", GOLD, []), small.summarized("gold", 9, 60), small.SUMMARY_TASK, Silent())
    assert fit.history[0][0] == 0.0
    assert fit.history[-1][0] == 1.0


def test_frozen_layers_stay_and_the_others_learn(tiny: Path, tmp_path: Path) -> None:
    fitted(tiny, Mixture.named("gold", GOLD, []), frozen_layers=1).save(tmp_path / "model")
    before, after = load_file(tiny / "model.safetensors"), load_file(tmp_path / "model" / "model.safetensors")
    moved = {name for name, tensor in before.items() if not tensor.equal(after[f"backbone.{name}"])}
    assert moved
    assert all(name.startswith("encoder.layer.1.") for name in moved)


def test_a_sentence_is_read_alike_whatever_is_read_beside_it(student: Encoder) -> None:
    documents = [["The goal.", "A cup of the coach said on monday."], ["New."], ["The bank " * 9, "Said.", "After."]]
    network = scorer(student)
    with torch.inference_mode():
        together = network.vectors([network.tokens(sentences) for sentences in documents])
        alone = [network.vectors([network.tokens(sentences)])[0] for sentences in documents]
    for one, other in zip(together, alone, strict=True):
        torch.testing.assert_close(one, other)


def test_a_long_document_is_read_to_its_end(student: Encoder) -> None:
    dull = ["There was little new of it after."] * 300
    scores = scorer(student).scores([[*dull, "The goal match team."]])[0]
    assert scores.shape == (301,)
    assert scores[-1] > scores[:-1].max()


def test_of_a_long_document_whole_sentences_are_learned_from(student: Encoder) -> None:
    text = " ".join(["There was little new of it after."] * 300)
    lesson = scorer(student).lesson(Example(id="long", text=text, target="The goal."))
    assert lesson.count == 300
    assert 400 < sum(map(len, lesson.tokens)) <= 512
    assert len(lesson.tokens) == len(lesson.wanted)


def test_a_text_without_a_word_is_no_hindrance(tiny: Path) -> None:
    blank = [Example(id=str(place), text=text, target="goal") for place, text in enumerate(["", " \n", "🙂"] * 3)]
    student = fitted(tiny, Mixture.named("gold", [*blank, *GOLD], []), validation=blank)
    assert student.predict(["", " "]) == student.predict([""]) * 2
    assert student.predict([""])[0].target == ""
    fitted(tiny, Mixture.named("gold", blank, []))


def test_the_ranker_sees_where_a_sentence_stands() -> None:
    torch.manual_seed(0)
    ranker = SentenceRanker(8, 0.0).eval()
    vectors, mask = torch.ones(1, 4, 9), torch.ones(1, 4, dtype=torch.bool)
    logits = ranker(vectors, mask, torch.tensor([4]))[0].detach()
    assert len({round(float(logit), 5) for logit in logits}) == 4
    assert not torch.allclose(logits, ranker(vectors, mask, torch.tensor([40]))[0].detach())


def test_padding_costs_nothing(student: Encoder) -> None:
    lessons = [scorer(student).lesson(example) for example in (TEST[0], replace(TEST[1], text="Goal. Cup."))]
    batch = wanted(lessons)
    logits = torch.where(batch["mask"], 0.0, 9.0)
    assert float(_loss(logits, batch)) == pytest.approx(torch.log(torch.tensor(2.0)))


def test_a_ruined_rule_for_taking_sentences_is_a_model_error(student: Encoder, tmp_path: Path) -> None:
    student.save(tmp_path / "model")
    (tmp_path / "model" / "selector.json").write_text('{"sentences": 0}')
    with pytest.raises(ModelError, match="taking sentences"):
        load(tmp_path / "model")
