import subprocess
import sys
from pathlib import Path

import pytest

from tests.teacher.support import Noted
from understudy.errors import RunError
from understudy.run_folder import RunFolder


class Work:
    """Writes its outputs, and counts how often."""

    def __init__(self, *outputs: Path) -> None:
        self.outputs = outputs
        self.times = 0

    def __call__(self) -> None:
        self.times += 1
        for output in self.outputs:
            output.write_text(f"made {self.times} times")


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    return RunFolder(tmp_path)


@pytest.fixture
def work(run: RunFolder) -> Work:
    return Work(run.clean)


def test_the_files_are_named_in_the_order_in_which_they_are_made(run: RunFolder) -> None:
    made = [run.inputs, run.taught, run.clean, run.rejected, run.train, run.validation, run.test, run.students]
    assert [path.name for path in [run.recipe, *made, run.scores, run.report]] == [
        "recipe.yaml",
        "1-inputs.jsonl",
        "2-taught.jsonl",
        "3-clean.jsonl",
        "3-rejected.jsonl",
        "4-train.jsonl",
        "4-validation.jsonl",
        "4-test.jsonl",
        "5-students",
        "6-scores.json",
        "8-report.html",
    ]


def test_work_is_done_once_for_the_same_inputs(run: RunFolder, work: Work) -> None:
    assert run.make(run.clean, {"share": 0.5}, work)
    assert not run.make(run.clean, {"share": 0.5}, work)
    assert work.times == 1


def test_other_settings_are_other_inputs(run: RunFolder, work: Work) -> None:
    for share in (0.5, 0.6, 0.5):
        assert run.make(run.clean, {"share": share}, work)
    assert run.make(run.clean, {"share": 0.5, "more": None}, work)


def test_the_order_of_labels_is_an_input_since_the_teacher_reads_them_in_it(run: RunFolder, work: Work) -> None:
    assert run.make(run.clean, {"labels": {"sport": "", "health": ""}}, work)
    assert run.make(run.clean, {"labels": {"health": "", "sport": ""}}, work)


def test_a_path_stands_for_what_is_in_the_file(run: RunFolder, work: Work) -> None:
    run.taught.write_text("one")
    assert run.make(run.clean, {"taught": run.taught}, work)
    run.taught.write_text("one")
    assert not run.make(run.clean, {"taught": run.taught}, work)
    run.taught.write_text("two")
    assert run.make(run.clean, {"taught": run.taught}, work)


def test_another_version_of_the_package_does_its_work_itself(
    run: RunFolder, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.make(run.clean, {}, work)
    monkeypatch.setattr("understudy.run_folder.version", lambda name: "99.0")
    assert run.make(run.clean, {}, work)


def test_an_edited_output_is_kept(run: RunFolder, work: Work) -> None:
    run.make(run.clean, {}, work)
    run.clean.write_text("edited")
    assert not run.make(run.clean, {}, work)
    assert run.clean.read_text() == "edited"


def test_an_edited_output_that_must_give_way_is_kept_under_another_name(tmp_path: Path) -> None:
    told = Noted()
    run = RunFolder(tmp_path, told)
    work = Work(run.clean, run.rejected)
    for share, edit in ((1, "by hand"), (2, "by hand again"), (3, None), (4, None)):
        run.make(run.clean, {"share": share}, work, run.rejected)
        if edit:
            run.clean.write_text(edit)
    assert run.clean.read_text() == "made 4 times"
    assert (tmp_path / "3-clean.edited.jsonl").read_text() == "by hand"
    assert (tmp_path / "3-clean.edited-2.jsonl").read_text() == "by hand again"
    assert len(list(tmp_path.glob("*.edited*"))) == 2
    assert told.lines[0] == (
        "3-clean.jsonl had been edited and has to be made anew; the edited file is kept as 3-clean.edited.jsonl"
    )


def test_an_edited_output_is_kept_too_where_another_one_was_removed(run: RunFolder) -> None:
    work = Work(run.clean, run.rejected)
    run.make(run.clean, {}, work, run.rejected)
    run.clean.write_text("by hand")
    run.rejected.unlink()
    assert run.make(run.clean, {}, work, run.rejected)
    assert (run.path / "3-clean.edited.jsonl").read_text() == "by hand"


def test_unfinished_work_serves_this_run_and_is_done_again_by_the_next(run: RunFolder) -> None:
    done: list[int] = []

    def work() -> bool:
        run.clean.write_text(f"{len(done)}")
        done.append(1)
        return len(done) > 1

    assert run.make(run.clean, {}, work)
    assert run.clean.read_text() == "0"
    assert run.make(run.clean, {}, work)
    assert not run.make(run.clean, {}, work)


def test_a_removed_output_is_made_again(run: RunFolder) -> None:
    work = Work(run.clean, run.rejected)
    run.make(run.clean, {}, work, run.rejected)
    for gone in (run.clean, run.rejected):
        gone.unlink()
        assert run.make(run.clean, {}, work, run.rejected)
        assert gone.exists()
    assert not run.make(run.clean, {}, work, run.rejected)


def test_work_that_fails_is_not_taken_for_finished(run: RunFolder, work: Work) -> None:
    def fails() -> None:
        run.clean.write_text("half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        run.make(run.clean, {}, fails)
    assert run.make(run.clean, {}, work)


def test_work_that_fails_takes_the_old_seal_with_it(run: RunFolder, work: Work) -> None:
    def fails() -> None:
        run.clean.write_text("half")
        raise RuntimeError

    run.make(run.clean, {"share": 1}, work)
    with pytest.raises(RuntimeError):
        run.make(run.clean, {"share": 2}, fails)
    assert run.make(run.clean, {"share": 1}, work)
    assert run.clean.read_text() == "made 2 times"


@pytest.mark.parametrize("seal", [b"", b'{"share": ', b"\xff", b"[]", b"null"])
def test_a_broken_seal_seals_nothing(run: RunFolder, work: Work, seal: bytes) -> None:
    run.make(run.clean, {}, work)
    (run.path / ".3-clean.jsonl.fingerprint").write_bytes(seal)
    assert run.make(run.clean, {}, work)


def test_a_second_run_in_the_folder_is_kept_out(run: RunFolder) -> None:
    with run.locked(), pytest.raises(RunError, match="another run is at work in this folder"), run.locked():
        pytest.fail("two runs were let in")
    with run.locked():
        pass


def test_a_run_in_another_process_is_kept_out_until_the_first_ends(run: RunFolder) -> None:
    code = (
        "import sys; from pathlib import Path; from understudy.run_folder import RunFolder\n"
        "with RunFolder(Path(sys.argv[1])).locked(): pass"
    )
    command = [sys.executable, "-c", code, str(run.path)]
    with run.locked():
        kept_out = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "another run is at work" in kept_out.stderr
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_what_a_killed_run_was_writing_is_swept_away(run: RunFolder) -> None:
    arm = run.students / "gold" / "linear"
    (arm / ".seed-0.4711.part").mkdir(parents=True)
    (arm / ".seed-0.4711.part" / "weights.safetensors").write_bytes(b"half")
    (run.path / ".2-taught.jsonl.4711.part").write_text('{"id": ')
    run.taught.write_text("whole")
    others = [run.path / ".notes.part", run.path / "mine" / ".film.4711.part"]
    others[1].parent.mkdir()
    for other in others:
        other.write_text("somebody's")
    with run.locked():
        assert [path.name for path in arm.iterdir()] == []
    found = sorted(path.name for path in run.path.iterdir())
    assert found == [".lock", ".notes.part", "2-taught.jsonl", "5-students", "mine"]
    assert all(other.read_text() == "somebody's" for other in others)


def test_a_folder_that_cannot_be_one_is_told(run: RunFolder) -> None:
    run.taught.write_text("")
    for path in (run.taught, run.taught / "below"):
        with pytest.raises(RunError, match="cannot be a run's folder"), RunFolder(path).locked():
            pytest.fail("a file was taken for a folder")
