from understudy.example import Example, Prediction, Span
from understudy.tasks.classification import Classification
from understudy.tasks.ner import NER
from understudy.training.judge import judge

LABELS = Classification(labels=["a", "b"])
PEOPLE = NER(types={"PER": "a person"})


def test_without_validation_there_is_nothing_to_judge_by() -> None:
    assert judge(LABELS, [], lambda: ([], 0.0)) is None


def test_every_look_takes_the_headline_metric_of_the_answers_as_they_are_then() -> None:
    validation = [Example(id=name, text=name, target=name, source="gold") for name in "ab"]
    looks = iter([("bb", 2.0), ("ab", 0.5)])

    def answer() -> tuple[list[Prediction], float]:
        labels, loss = next(looks)
        return [Prediction(label) for label in labels], loss

    look = judge(LABELS, validation, answer)
    assert look is not None
    assert look() == (LABELS.tally(["a", "b"], ["b", "b"], ["a", "b"]).scores()[LABELS.headline], 2.0)
    assert look() == (1.0, 0.5)


def test_a_text_without_entities_is_judged_too() -> None:
    texts = {"Ada": (Span(0, 3, "PER"),), "nobody": ()}
    validation = [Example(id=text, text=text, target=spans, source="gold") for text, spans in texts.items()]
    right, wrong = (Prediction((Span(0, 3, "PER"),)), Prediction(()))
    for second, perfect in ((wrong, True), (right, False)):
        look = judge(PEOPLE, validation, lambda second=second: ([right, second], 0.0))  # type: ignore[misc]
        assert look is not None
        assert (look()[0] == 1.0) == perfect
