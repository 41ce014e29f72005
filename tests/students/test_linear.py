from dataclasses import replace

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from tests.students import small
from understudy.errors import ModelError
from understudy.example import Example
from understudy.progress import Silent
from understudy.students.linear import Linear
from understudy.students.temperature import log_softmax
from understudy.training.mixtures import Mixture

GOLD = small.examples("gold", 30)
DISTILLED = small.examples("annotated", 60, shift=4)
WRONG = {"sport": "money", "money": "science", "science": "sport"}
MISLED = [replace(example, target=WRONG[str(example.target)]) for example in GOLD]


def fitted(mixture: Mixture, **settings: float) -> Linear:
    student = Linear(**settings)  # type: ignore[arg-type]
    student.fit(mixture, [], small.TASK, Silent())
    return student


def probabilities(student: Linear, texts: list[str]) -> np.ndarray:
    """Shape (texts, labels)."""
    return np.exp(log_softmax(student._model._logits(texts)))  # type: ignore[attr-defined]


def distance(a: Linear, b: Linear) -> float:
    return float(np.abs(probabilities(a, small.TEXTS) - probabilities(b, small.TEXTS)).mean())


@pytest.mark.parametrize("c", [0.5, 10.0, 100.0])
@pytest.mark.parametrize("name", ["gold", "distilled", "union"])
def test_a_constant_mixture_is_scikit_learns_logistic_regression(name: str, c: float) -> None:
    mixture = Mixture.named(name, GOLD, DISTILLED)
    texts, targets = ([getattr(row, key) for row in mixture.examples] for key in ("text", "target"))
    vectorizer = TfidfVectorizer(sublinear_tf=True, dtype=np.float32)
    theirs = LogisticRegression(C=c, max_iter=2000, tol=1e-8).fit(vectorizer.fit_transform(texts), targets)
    expected = theirs.predict_proba(vectorizer.transform(small.TEXTS))
    order = [list(theirs.classes_).index(label) for label in small.TASK.labels]
    assert np.allclose(probabilities(fitted(mixture, c=c), small.TEXTS), expected[:, order], atol=0.01)


def test_it_learns_and_says_how_sure_it_is() -> None:
    predictions = fitted(small.mixture()).predict(small.TEXTS)
    assert small.right(predictions) >= 0.9
    assert all(1 / 3 <= (answer.confidence or 0) <= 1 for answer in predictions)


def test_simple_mix_ends_on_gold_but_stays_near_what_it_came_from() -> None:
    mixed, union, gold, distilled = (
        fitted(Mixture.named(name, MISLED, DISTILLED), c=1.0) for name in ("simple_mix", "union", "gold", "distilled")
    )
    assert distance(mixed, union) > 0.01
    assert distance(mixed, distilled) < distance(gold, distilled)
    assert distance(mixed, gold) < distance(distilled, gold)


def test_the_stronger_the_regularisation_the_nearer_simple_mix_stays_to_distilled() -> None:
    distances = [
        distance(fitted(Mixture.named("simple_mix", MISLED, DISTILLED), c=c), fitted(small_distilled(), c=c))
        for c in (1e-4, 1e-2, 1.0)
    ]
    assert distances == sorted(distances)
    assert distances[0] < 0.01 < distances[-1]


def small_distilled() -> Mixture:
    return Mixture.named("distilled", MISLED, DISTILLED)


def confidence_in(label: str, examples: list[Example]) -> float:
    student = fitted(Mixture.named("gold", examples, []), c=1e4)
    return float(probabilities(student, ["unclear"])[0, list(small.TASK.labels).index(label)])


def test_soft_labels_are_learned_as_they_are() -> None:
    soft = {"sport": 0.7, "money": 0.2, "science": 0.1}
    examples = [Example(id=str(i), text="unclear", target="sport", soft=soft, source="gold") for i in range(6)]
    for label, share in soft.items():
        assert confidence_in(label, examples) == pytest.approx(share, abs=0.01)


def test_an_example_counts_as_much_as_it_weighs() -> None:
    weighing = {"sport": 3.0, "money": 1.0, "science": 0.0}
    examples = [
        Example(id=label, text="unclear", target=label, weight=weight, source="gold")
        for label, weight in weighing.items()
    ]
    assert confidence_in("sport", examples) == pytest.approx(0.75, abs=0.01)
    assert confidence_in("science", examples) == pytest.approx(0.0, abs=0.01)


def test_a_stretch_whose_examples_weigh_nothing_is_passed_over() -> None:
    weightless = [replace(example, weight=0.0) for example in GOLD]
    mixed = fitted(Mixture.named("simple_mix", weightless, DISTILLED), iterations=2000)
    assert small.right(mixed.predict(small.TEXTS)) >= 0.9


def test_seeds_agree_up_to_rounding() -> None:
    one, other = fitted(small.mixture(), seed=0), fitted(small.mixture(), seed=1)
    assert distance(one, other) < 1e-3


def test_parameters_are_a_weight_for_each_feature_and_label_and_a_bias() -> None:
    student = fitted(Mixture.named("gold", GOLD, []), words=2)
    vocabulary = TfidfVectorizer(ngram_range=(1, 2)).fit([row.text for row in GOLD]).vocabulary_
    assert student.count_parameters() == 3 * (len(vocabulary) + 1)


def test_steps_are_limited() -> None:
    assert 1 <= Linear(iterations=5).fit(small.mixture(), [], small.TASK, Silent()).steps <= 5


def test_texts_without_words_cannot_be_learned_from() -> None:
    empty = [Example(id="1", text="!!", target="sport", source="gold")]
    with pytest.raises(ModelError, match="no features"):
        fitted(Mixture.named("gold", empty, []))


def test_a_training_that_diverges_is_told() -> None:
    student = Linear(c=0.0)  # no recipe lets it pass, but Python does
    with (
        np.errstate(all="ignore"),
        pytest.raises(ModelError, match="the training diverged: its loss or weights"),
    ):
        student.fit(small.mixture(), [], small.TASK, Silent())
