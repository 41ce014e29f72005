"""The README's commands, run as they are written, in a fresh copy of what is under version control."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
NOT_HERE = {"make test"}
"""This very suite."""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    lines = [line.strip() for block in blocks("bash") for line in block.splitlines() if line.strip()]
    return [line for line in lines if line not in NOT_HERE]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The tracked files, with an environment in which make finds everything installed."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.splitlines():
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tmp_path / name)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/bin").symlink_to(Path(sys.prefix) / "bin")
    (tmp_path / ".venv/.demo").touch()
    (tmp_path / ".venv/.dev").touch()
    return tmp_path


def run(command: str, folder: Path) -> str:
    environment = {**os.environ, "PATH": f"{Path(sys.prefix) / 'bin'}:{os.environ['PATH']}"}
    done = subprocess.run(
        command, shell=True, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_readme_holds_the_commands_that_set_everything_up() -> None:
    assert "make demo" in commands()
    assert "make test" in README
    assert blocks("python")


def test_the_quick_commands_do_what_the_readme_says(clone: Path) -> None:
    quick = [command for command in commands() if " init " in command or " check " in command]
    assert len(quick) == 2
    outputs = [run(command, clone) for command in quick]
    assert (clone / "my-task.yaml").exists()
    assert "1,080 answered already" in outputs[1]


def test_every_link_to_a_file_leads_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("http") or (ROOT / target).exists(), target


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_all_commands_run_as_written(clone: Path) -> None:
    for command in commands():
        output = run(command, clone)
        if command == "make demo":
            assert "is chosen" in output
            assert "8-report.html" in output
        if " predict " in command:
            assert '"target": "sport"' in output
    for block in blocks("python"):
        (clone / "example.py").write_text(block, encoding="utf-8")
        assert "sport" in run(f"{sys.executable} example.py", clone)
