"""TF-IDF features over words and characters: what the students without a neural network see of a text."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from understudy.data.files import write_json
from understudy.errors import ModelError
from understudy.extras import need

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Sparse = Any  # scipy.sparse.csr_matrix, whose stubs would be one dependency more

_VOCABULARY = "vocabulary.json"
_IDF = "idf.safetensors"

Analyzer = Literal["word", "char_wb"]


class TfIdf:
    """Sublinear TF-IDF weights of word n-grams and, beside them, of character n-grams within words.

    Args:
        words: The longest word n-gram; 1 for single words.
        chars: The longest character n-gram (from 3 up); 0 for none.
        max_features: The most features of each of the two kinds; the most frequent are kept.
    """

    def __init__(self, *, words: int, chars: int, max_features: int) -> None:
        self.words, self.chars, self.max_features = words, chars, max_features
        self._vectorizers: list[Any] = []

    def fit(self, texts: Sequence[str]) -> "Sparse":
        """Learn the vocabulary and weights from these texts; returns their features, shape (texts, features).

        Texts without a single word (whitespace, punctuation) are all zeros.

        Raises:
            ModelError: Not one text holds a word.
        """
        for vectorizer in (vectorizers := self._new()):
            try:
                vectorizer.fit(texts)
            except ValueError as error:
                raise ModelError(f"no features can be learned from {len(texts)} texts: {error}") from None
        self._vectorizers = vectorizers
        return self.transform(texts)

    @property
    def size(self) -> int:
        """How many features there are."""
        return int(self.transform([""]).shape[1])

    def transform(self, texts: Sequence[str]) -> "Sparse":
        """Features of these texts, shape (texts, features), float32."""
        sparse = need("scipy.sparse", "TF-IDF")
        return sparse.hstack([vectorizer.transform(texts) for vectorizer in self._vectorizers], format="csr")

    def save(self, folder: Path) -> None:
        """Write the vocabulary as JSON and the weights as safetensors."""
        from safetensors.numpy import save_file

        vocabularies = [vectorizer.get_feature_names_out().tolist() for vectorizer in self._vectorizers]
        write_json(folder / _VOCABULARY, vocabularies)
        save_file({str(i): vectorizer.idf_ for i, vectorizer in enumerate(self._vectorizers)}, folder / _IDF)

    def load(self, folder: Path) -> Self:
        """Read back what `save` wrote; the settings must be the same.

        Raises:
            ModelError: A weight is not a number.
        """
        import numpy as np
        from safetensors.numpy import load_file

        vocabularies: list[list[str]] = json.loads((folder / _VOCABULARY).read_text(encoding="utf-8"))
        weights: dict[str, NDArray[np.float32]] = load_file(folder / _IDF)
        self._vectorizers = self._new()
        for i, (vectorizer, vocabulary) in enumerate(zip(self._vectorizers, vocabularies, strict=True)):
            vectorizer.vocabulary = {term: place for place, term in enumerate(vocabulary)}
            if not np.isfinite(weights[str(i)]).all():
                raise ModelError(f"{folder / _IDF}: a weight is not a number")
            vectorizer.idf_ = weights[str(i)]
        return self

    def _new(self) -> list[Any]:
        kinds: list[tuple[Analyzer, tuple[int, int]]] = [("word", (1, self.words))]
        if self.chars:
            kinds.append(("char_wb", (min(3, self.chars), self.chars)))
        return [self._vectorizer(analyzer, ngrams) for analyzer, ngrams in kinds]

    def _vectorizer(self, analyzer: Analyzer, ngrams: tuple[int, int]) -> Any:
        import numpy as np
        from sklearn.feature_extraction.text import TfidfVectorizer

        return TfidfVectorizer(
            analyzer=analyzer, ngram_range=ngrams, max_features=self.max_features, sublinear_tf=True, dtype=np.float32
        )
