"""Texts in another language than the one that is wanted."""

from collections.abc import Iterable, Iterator
from typing import Any

from understudy.data.clean.rejection import is_exempt, rejected
from understudy.errors import DataError
from understudy.example import Example
from understudy.extras import need

_SURE = 0.9
"""The detector's probability from which a text is said to be in another language: short texts leave room for doubt."""


def reject_other_languages(examples: Iterable[Example], language: str) -> Iterator[Example]:
    """Reject texts that are surely in another language, by langid's naive Bayes over bytes (Lui and Baldwin 2012).

    Raises:
        DataError: The detector does not know the wanted language.
    """
    detector = language_detector(language)
    for example in examples:
        found, probability = (language, 1.0) if is_exempt(example) else detector.classify(example.text)
        if found != language and probability >= _SURE:
            yield rejected(example, "another language", language=found)
        else:
            yield example


def language_detector(language: str) -> Any:
    """The detector, with its model loaded, once it is known to tell this language.

    Raises:
        DataError: It does not.
        MissingExtra: Its package is not installed.
    """
    langid = need("py3langid.langid", "the language filter")
    detector = langid.LanguageIdentifier.from_model_file(langid.MODEL_FILE, norm_probs=True)
    if language not in detector.labels:
        raise DataError(
            f"clean.language: {language!r} is not known to the detector; expected one of {', '.join(detector.labels)}"
        )
    return detector
