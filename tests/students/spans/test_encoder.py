"""The encoder that tags words: how tokens and words are lined up, and what it learns from."""

import functools
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from tests.students import small
from tests.students.tiny_bert import write_tiny_bert
from understudy.example import Example, Span
from understudy.progress import Silent
from understudy.segments import words
from understudy.students.encoder import Encoder
from understudy.students.spans.encoder import reading
from understudy.students.spans.networks import pooling
from understudy.training.mixtures import Mixture


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_bert(tmp_path_factory.mktemp("hub") / "tiny-bert")


def shouted(count: int) -> list[Example]:
    """Texts of one and the same word, of which the capitalised ones are entities."""
    made = []
    for index in range(count):
        spelled = ["Goal" if index >> place & 1 else "goal" for place in range(4)]
        target = tuple(Span(5 * place, 5 * place + 4, "PER") for place in range(4) if spelled[place] == "Goal")
        made.append(Example(id=str(index), text=" ".join(spelled), target=target))
    return made


def fitted(model: Path, examples: list[Example], **changes: Any) -> Encoder:
    student = Encoder(model=str(model), **{"epochs": 1, "batch_size": 8, "learning_rate": 3e-3, **changes})
    student.fit(Mixture.named("gold", examples, []), [], small.NER_TASK, Silent())
    return student


def wordpiece(*pieces: str) -> Tokenizer:
    """One like BERT's, uncased, with some subwords."""
    known = [
        "[UNK]",
        "[CLS]",
        "[SEP]",
        *pieces,
        *"abcdefghijklmnopqrstuvwxyz.-'",
        *(f"##{c}" for c in "abcdefghiopstx"),
    ]
    made = Tokenizer(models.WordPiece({piece: place for place, piece in enumerate(known)}, unk_token="[UNK]"))
    made.normalizer, made.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    return made


@functools.cache
def byte_level() -> Tokenizer:
    """One like RoBERTa's, whose tokens begin with the space before them."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(vocab_size=320, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    made.train_from_iterator(["Ada went to Rome and on to Oslo with Ada"] * 9, trainer)
    return made


def lined_up(text: str, tokenizer: Tokenizer) -> list[tuple[str, list[str]]]:
    """Each word that is read, and the tokens that belong to it."""
    encoding = tokenizer.encode(text)
    read = reading(text, encoding)
    pieces: list[list[str]] = [[] for _ in range(len(read))]
    for token, place in zip(encoding.tokens, read.places, strict=True):
        if place >= 0:
            pieces[place].append(token)
    return [(text[start:end], tokens) for (start, end), tokens in zip(words(text), pieces, strict=False)]


def test_each_word_gets_its_subwords() -> None:
    assert lined_up("Ada's  ostapo.", wordpiece("ada", "##apo")) == [
        ("Ada", ["ada"]),
        ("'", ["'"]),
        ("s", ["s"]),
        ("ostapo", ["o", "##s", "##t", "##apo"]),
        (".", ["."]),
    ]


def test_tokens_that_begin_with_a_space_belong_to_the_word_behind_it() -> None:
    for word, tokens in lined_up("Ada went\n to Rome.", byte_level()):
        assert "".join(tokens).lstrip("ĠĊ") == word


def test_normalisation_that_changes_lengths_moves_nothing() -> None:
    text = "Zo\u00eb e\u0301ta o\x00p\u00a0\u2003s"
    assert lined_up(text, wordpiece("zoe", "eta", "op")) == [
        ("Zo\u00eb", ["zoe"]),
        ("e\u0301ta", ["eta"]),
        ("o", []),
        ("\x00", []),
        ("p", ["op"]),
        ("s", ["s"]),
    ]


def test_words_without_tokens_are_read_as_far_as_others_follow() -> None:
    assert lined_up("\x01 a \x02 b \x03", wordpiece()) == [("\x01", []), ("a", ["a"]), ("\x02", []), ("b", ["b"])]
    assert lined_up("\x01", wordpiece()) == [("\x01", [])]


def test_words_behind_the_limit_are_not_read() -> None:
    tokenizer = wordpiece()
    tokenizer.enable_truncation(4)
    assert lined_up("a b c d", tokenizer) == [("a", ["a"]), ("b", ["b"])]


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("aBo é\u0301'.İ🙂比\x00\n"), max_size=20).filter(words))
def test_any_text_is_lined_up_from_left_to_right(text: str) -> None:
    for encoding in (wordpiece().encode(text), byte_level().encode(text)):
        read = reading(text, encoding)
        places = [place for place in read.places if place >= 0]
        assert places == sorted(places)
        assert all(place < len(read) <= len(words(text)) for place in places)


def test_a_word_is_its_first_token_or_the_mean_of_all() -> None:
    places = torch.tensor([[-1, 0, 0, 2, -1], [-1, 0, -1, -1, -1]])
    first = [[[0, 1, 0, 0, 0], [0] * 5, [0, 0, 0, 1, 0]], [[0, 1, 0, 0, 0], [0] * 5, [0] * 5]]
    assert pooling(places, 3, first=True).tolist() == first
    mean = [[[0, 0.5, 0.5, 0, 0], [0] * 5, [0, 0, 0, 1, 0]], [[0, 1, 0, 0, 0], [0] * 5, [0] * 5]]
    assert pooling(places, 3, first=False).tolist() == mean


def test_capitals_are_seen_where_the_vocabulary_has_none(tiny: Path) -> None:
    student = fitted(tiny, shouted(16), epochs=30)
    for example, answer in zip(shouted(16), student.predict([e.text for e in shouted(16)]), strict=True):
        assert answer.target == example.target


def test_what_follows_what_is_learned_only_when_asked(tiny: Path, tmp_path: Path) -> None:
    moves = {}
    for crf in (False, True):
        fitted(tiny, shouted(16), crf=crf).save(tmp_path / f"{crf}")
        moves[crf] = load_file(tmp_path / f"{crf}" / "model.safetensors")["crf.moves"]
    assert not moves[False].any()
    assert moves[True].any()


def test_frozen_layers_stay_and_shapes_are_learned(tiny: Path, tmp_path: Path) -> None:
    fitted(tiny, shouted(16), frozen_layers=1).save(tmp_path / "model")
    before, after = load_file(tiny / "model.safetensors"), load_file(tmp_path / "model" / "model.safetensors")
    moved = {name for name, tensor in before.items() if not tensor.equal(after[f"backbone.{name}"])}
    assert moved
    assert all(name.startswith("encoder.layer.1.") for name in moved)
    assert after["shapes.weight"].any()
    assert not after["shapes.weight"][0].any()


def test_either_subwords_can_be_asked_for(tiny: Path) -> None:
    text = "goal matchteam"
    first, mean = (fitted(tiny, shouted(16), subwords=subwords) for subwords in ("first", "mean"))
    assert len(first.predict([text])) == len(mean.predict([text])) == 1


@pytest.mark.slow
def test_the_bundled_encoder_finds_names_after_a_glance() -> None:
    examples, test = small.marked("gold", 60), small.marked("test", 14, shift=90)
    student = Encoder(epochs=2, batch_size=8)
    student.fit(Mixture.named("gold", examples, []), [], small.NER_TASK, Silent())
    assert [answer.target for answer in student.predict([e.text for e in test])] == [e.target for e in test]
