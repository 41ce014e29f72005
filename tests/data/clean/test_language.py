import sys

import pytest

from tests.data.clean.support import reasons, row, rows
from understudy.data.clean.language import language_detector, reject_other_languages
from understudy.errors import DataError, MissingExtra

ENGLISH = "The council voted on Tuesday to close the old bridge for repairs until the spring."
GERMAN = "Der Rat stimmte am Dienstag dafür, die alte Brücke bis zum Frühjahr für Reparaturen zu schließen."


def test_a_text_in_another_language_is_rejected_and_the_language_named() -> None:
    english, german = reject_other_languages(rows([ENGLISH, GERMAN]), "en")
    assert "rejected" not in english.meta
    assert german.meta == {"kept": 1, "rejected": "another language", "language": "de"}
    assert reasons(reject_other_languages(rows([ENGLISH, GERMAN]), "de")) == ["another language", None]


def test_a_text_too_short_to_be_sure_of_stays() -> None:
    assert reasons(reject_other_languages(rows(["ok", "Taxi", "?", "7", "\ud800"]), "en")) == [None] * 5


def test_test_rows_are_never_rejected() -> None:
    assert reasons(reject_other_languages([row("t", GERMAN, "test")], "en")) == [None]


def test_a_language_that_the_detector_does_not_know_is_an_error_that_names_those_it_does() -> None:
    with pytest.raises(DataError, match=r"clean\.language: 'xx' is not known .* expected one of .*\ben\b"):
        language_detector("xx")


def test_without_the_detector_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "py3langid.langid", None)
    monkeypatch.setitem(sys.modules, "py3langid", None)
    with pytest.raises(MissingExtra, match=r"the language filter needs .* pip install 'understudy\[clean\]'"):
        language_detector("en")
