import inspect
import subprocess
import sys
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from understudy import registry
from understudy.errors import MissingExtra, UnknownName
from understudy.extras import need
from understudy.progress import Silent

KINDS = ["task", "student", "mixture"]
COMPONENTS = [(kind, name) for kind in ("task", "student") for name in registry.names(kind)]


class Echo:
    """A component of a plug-in."""

    def __init__(self, *, volume: int = 1) -> None:
        self.volume = volume


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in KINDS for name in registry.names(kind)])
def test_every_name_leads_to_something(kind: str, name: str) -> None:
    assert callable(registry.find(kind, name))


@pytest.mark.parametrize(("kind", "name"), COMPONENTS)
def test_every_setting_is_keyword_only_typed_and_checked_by_the_signature(kind: str, name: str) -> None:
    component = registry.find(kind, name)
    parameters = inspect.signature(component).parameters
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in parameters.values())
    assert set(registry.signature(kind, name).model_fields) == set(parameters)
    with pytest.raises(ValidationError):
        registry.signature(kind, name).model_validate({"no_such_setting": 1})


@pytest.mark.parametrize(("kind", "name"), COMPONENTS)
def test_a_setting_of_the_wrong_type_is_no_setting(kind: str, name: str) -> None:
    model = registry.signature(kind, name)
    for setting in model.model_fields:
        with pytest.raises(ValidationError, match=setting):
            model.model_validate({setting: [{}]})


@pytest.mark.parametrize("name", registry.names("student"))
def test_every_default_is_within_its_range(name: str) -> None:
    settings = registry.settings(registry.build("student", name, {}))
    assert registry.signature("student", name).model_validate(settings).model_dump() == settings


@pytest.mark.parametrize(
    ("kind", "name", "hint"),
    [
        ("student", "gbtd", "did you mean 'gbdt'?"),
        ("task", "clasification", "did you mean 'classification'?"),
        ("mixture", "simplemix", "did you mean 'simple_mix'?"),
        ("student", "zzz", "expected one of: lead, linear, gbdt, lstm, encoder, t5, bart"),
    ],
)
def test_a_name_that_does_not_exist_is_answered_with_the_closest(kind: str, name: str, hint: str) -> None:
    with pytest.raises(UnknownName) as error:
        registry.find(kind, name)
    assert str(error.value).startswith(f"unknown {kind} {name!r}; ")
    assert hint in str(error.value)


@pytest.mark.parametrize("name", ["os:system", "understudy.students.linear:Linear", "", ".", "../linear", "linear "])
def test_a_name_is_never_taken_for_code(name: str) -> None:
    with pytest.raises(UnknownName):
        registry.find("student", name)


@given(st.text(), st.lists(st.text(min_size=1), min_size=1, max_size=5))
def test_the_message_for_an_unknown_name_stays_short(name: str, known: list[str]) -> None:
    assert registry.unknown("label", name, known).startswith("unknown label ")
    assert len(registry.unknown("label", "x" * 1_000_000, ["sport", "politics"])) < 200


def test_settings_are_what_a_component_was_built_with() -> None:
    student = registry.build("student", "linear", {"c": 3.0, "seed": 7})
    settings = registry.settings(student)
    assert settings["c"] == 3.0
    assert settings["seed"] == 7
    assert registry.settings(registry.build("student", "linear", settings)) == settings


def test_an_unknown_setting_is_answered_with_the_closest() -> None:
    with pytest.raises(UnknownName, match="student 'gbdt': unknown setting 'round'; did you mean 'rounds'"):
        registry.build("student", "gbdt", {"round": 3})


def test_an_installed_plugin_is_found_after_ours_and_cannot_replace_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def points(*, group: str) -> list[EntryPoint]:
        names = ["echo", "linear"] if group == "understudy.students" else []
        return [EntryPoint(name, f"{__name__}:Echo", group) for name in names]

    monkeypatch.setattr(registry, "entry_points", points)
    assert registry.names("student") == [*registry.STUDENTS, "echo"]
    assert registry.find("student", "echo") is Echo
    assert registry.find("student", "linear") is not Echo
    assert registry.settings(registry.build("student", "echo", {"volume": 11})) == {"volume": 11}


def test_a_missing_package_names_what_needs_it_and_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(MissingExtra, match=r"the gbdt student needs the package 'lightgbm'.*understudy\[trees\]"):
        need("lightgbm", "the gbdt student")
    with pytest.raises(MissingExtra, match=r"understudy\[all\]"):
        need("no_such_package.part", "a test")


def test_a_package_that_is_there_but_broken_is_not_called_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(name: str) -> ModuleType:
        raise ModuleNotFoundError("No module named 'libgomp'", name="libgomp")

    monkeypatch.setattr("importlib.import_module", broken)
    with pytest.raises(ModuleNotFoundError, match="libgomp"):
        need("lightgbm", "the gbdt student")


def test_what_is_there_is_imported() -> None:
    assert need("numpy", "a test").__name__ == "numpy"


def test_looking_names_up_is_light() -> None:
    code = (
        "import sys; from understudy import registry; [registry.names(k) for k in ('task', 'student', 'mixture')]; "
        "[registry.find('student', name) for name in registry.STUDENTS]; registry.find('task', 'classification'); "
        "print([m for m in ('torch', 'transformers', 'sklearn', 'scipy', 'lightgbm', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_silent_progress_takes_everything_and_says_nothing(capsys: Any) -> None:
    progress = Silent()
    with progress.bar("work", 3) as bar:
        bar.advance()
        bar.advance(2)
    progress.say("a line")
    assert capsys.readouterr() == ("", "")
