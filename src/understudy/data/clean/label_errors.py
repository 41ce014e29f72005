"""Label errors: labels that a model trained on the others holds to be wrong (confident learning)."""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from understudy.data.clean.rejection import is_exempt, rejected
from understudy.data.clean.spool import Spool
from understudy.example import Example
from understudy.extras import need

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Integers = NDArray[np.int64]

_FOLDS = 5
_LEARNED_FROM = 50_000
"""Rows that are learned from at most; all are judged. So many say what a label's texts are like."""
_MAX_FEATURES = 50_000
_WORD_OR_SIGN = r"\w+|[^\w\s]"
_JUDGED_AT_A_TIME = 10_000
_FEWEST = 5
"""Rows of a label below which none of them is judged: too few to learn from."""


def reject_label_errors(examples: Iterable[Example], gold: Iterable[Example], seed: int) -> Iterator[Example]:
    """Reject examples whose label is probably wrong, by confident learning (Northcutt, Jiang and Chuang 2021).

    Every row is judged by a TF-IDF logistic regression that has not seen it (five-fold cross-validation); cleanlab then
    prunes what is confidently something else, as much of it as its estimate of the label noise says.

    Args:
        examples: Examples with labels, read once and put aside on the disk.
        gold: Human-labelled examples: they help to learn what each label means.
        seed: Decides the folds.
    """
    with Spool(examples) as rows:
        doubts = _doubts(rows, list(gold), seed)
        for number, example in enumerate(rows):
            likely = doubts.get(number)
            yield example if likely is None else rejected(example, "probable label error", likely=likely)


def confident_learning() -> Any:
    """The package that finds label issues.

    Raises:
        MissingExtra: It is not installed.
    """
    return need("cleanlab.filter", "the search for label errors")


def _doubts(rows: Iterable[Example], gold: Sequence[Example], seed: int) -> dict[int, str]:
    """The numbers of the rows whose label is probably wrong, each with the label that is likelier."""
    import numpy as np

    codes: dict[str, int] = {}
    labels = np.array([_code(row, codes) for row in rows], dtype=np.int64)
    often = np.bincount(labels[labels >= 0], minlength=len(codes)) >= _FEWEST
    if often.sum() < 2:
        return {}
    labels[~np.append(often, False)[labels]] = -1
    judged = np.flatnonzero(labels >= 0)
    probabilities = _out_of_sample(rows, labels, [row for row in gold if row.target in codes], codes, seed)[judged]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that it leaves each label some rows, which is what is asked of it
        wrong = confident_learning().find_label_issues(
            labels[judged], probabilities, min_examples_per_class=_FEWEST, n_jobs=1
        )
    names = list(codes)
    likely = probabilities.argmax(axis=1)
    return {int(judged[place]): names[likely[place]] for place in np.flatnonzero(wrong)}


def _code(example: Example, codes: dict[str, int]) -> int:
    """The number of the example's label, new ones being added; -1 where there is nothing to judge."""
    if is_exempt(example) or not isinstance(example.target, str):
        return -1
    return codes.setdefault(example.target, len(codes))


def _out_of_sample(
    rows: Iterable[Example], labels: "Integers", gold: Sequence[Example], codes: dict[str, int], seed: int
) -> "Floats":
    """What models that have not seen a row say of it: probabilities of shape (rows, labels)."""
    import numpy as np

    folds = _folds(labels, seed)
    learned = np.sort(np.random.default_rng(seed).permutation(np.flatnonzero(labels >= 0))[:_LEARNED_FROM])
    among = set(learned.tolist())
    texts = [row.text for number, row in enumerate(rows) if number in among] + [row.text for row in gold]
    features = _features()
    x = features.fit_transform(texts)
    y = np.array([*labels[learned], *(codes[str(row.target)] for row in gold)])
    fold = np.concatenate([folds[learned], np.full(len(gold), -1)])
    models = [_model().fit(x[fold != left_out], y[fold != left_out]) for left_out in range(_FOLDS)]
    return _judged(rows, folds, features, models, len(codes))


def _judged(rows: Iterable[Example], folds: "Integers", features: Any, models: Sequence[Any], labels: int) -> "Floats":
    """Each row's probabilities by the model of its fold, a batch of texts at a time."""
    import numpy as np

    probabilities = np.zeros((len(folds), labels), dtype=np.float32)
    texts = (row.text for row in rows)
    for start in range(0, len(folds), _JUDGED_AT_A_TIME):
        x = features.transform(islice(texts, _JUDGED_AT_A_TIME))
        for number, model in enumerate(models):
            members = np.flatnonzero(folds[start : start + _JUDGED_AT_A_TIME] == number)
            if len(members):
                probabilities[np.ix_(start + members, model.classes_)] = model.predict_proba(x[members])
    return probabilities


def _folds(labels: "Integers", seed: int) -> "Integers":
    """The fold that each row is left out in, every label spread evenly over them."""
    import numpy as np

    order = np.lexsort((np.random.default_rng(seed).random(len(labels)), labels))
    folds = np.empty(len(labels), dtype=np.int64)
    folds[order] = np.arange(len(labels)) % _FOLDS
    return folds


def _features() -> Any:
    """TF-IDF over words, and over single characters that are none, so that every text has a feature."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(token_pattern=_WORD_OR_SIGN, max_features=_MAX_FEATURES, sublinear_tf=True, dtype=np.float32)


def _model() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=10.0, max_iter=200)
