import sys
from pathlib import Path

import pytest

from tests.newswire import write_slice
from understudy import pipeline
from understudy.errors import MissingExtra
from understudy.extras import EXTRAS, need


def test_a_package_that_is_there_is_imported() -> None:
    assert need("json", "a test") is sys.modules["json"]
    assert need("os.path", "a test").join("a", "b") == "a/b"


@pytest.mark.parametrize(("module", "extra"), [*EXTRAS.items(), ("not_there_at_all", "all")])
def test_a_missing_package_is_told_with_the_extra_that_brings_it(
    monkeypatch: pytest.MonkeyPatch, module: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra) as caught:
        need(module, "the student")
    assert str(caught.value) == (
        f"the student needs the package {module!r}, which is not installed; pip install 'understudy[{extra}]'"
    )


def test_a_submodule_of_a_missing_package_is_told_by_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingExtra, match="the package 'not_there_at_all'"):
        need("not_there_at_all.deep.down", "the student")


def test_a_package_that_is_itself_broken_is_not_called_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_package_of_a_test.py").write_text("import something_else_that_is_missing\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="something_else_that_is_missing"):
        need("broken_package_of_a_test", "the student")


def test_the_extras_named_are_those_that_the_package_declares() -> None:
    from importlib.metadata import metadata

    declared = metadata("understudy").get_all("Provides-Extra") or []
    assert {*EXTRAS.values(), "all"} <= set(declared)


def test_a_missing_extra_is_told_before_anything_is_asked_or_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = write_slice(tmp_path, per_desk=1, pool=3, students={"linear": None, "gbdt": None})
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(MissingExtra, match=r"the gbdt student needs .* pip install 'understudy\[trees\]'"):
        pipeline.run(recipe, tmp_path / "run")
    assert not (tmp_path / "run").exists()
