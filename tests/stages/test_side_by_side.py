import os
import signal
from functools import partial

import pytest

from tests.teacher.support import Noted
from understudy.errors import DataError, RunError
from understudy.progress import Progress, Silent
from understudy.stages.side_by_side import room, side_by_side


def doubled(number: int, progress: Progress, add: int = 0) -> tuple[int, int]:
    progress.say(f"doubling {number}")
    return 2 * number + add, os.getpid()


def refused(number: int, progress: Progress) -> int:
    raise DataError(f"{number} is no good; expected another")


def killed(number: int, progress: Progress) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.parametrize("jobs", [1, 2])
def test_everything_is_done_once_and_what_there_is_to_say_is_said(jobs: int) -> None:
    noted = Noted()
    found = list(side_by_side(partial(doubled, add=1), range(5), jobs, noted))
    assert sorted(result for result, _ in found) == [1, 3, 5, 7, 9]
    assert sorted(noted.lines) == [f"doubling {number}" for number in range(5)]
    assert (os.getpid() in {process for _, process in found}) == (jobs == 1)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_mistake_is_told_as_it_is(jobs: int) -> None:
    with pytest.raises(DataError, match="0 is no good; expected another"):
        list(side_by_side(refused, [0], jobs, Silent()))


def test_a_process_that_is_killed_is_told_with_a_way_out() -> None:
    with pytest.raises(RunError, match=r"one of 2 processes was killed.*fewer --jobs"):
        list(side_by_side(killed, range(3), 2, Silent()))


def test_there_is_room_for_one_at_the_least() -> None:
    assert room() >= 1
