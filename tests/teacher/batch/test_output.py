import json
from pathlib import Path

import pytest

from tests.teacher.fake_batch_api import answered
from understudy.errors import DataError
from understudy.teacher.batch.output import check_output


def test_a_file_in_which_nothing_is_output_is_refused_and_an_empty_one_is_not(tmp_path: Path) -> None:
    path, good = tmp_path / "out.jsonl", json.dumps(answered("any"))
    for sound in ("", "\n", f"torn\n{good}\n"):
        path.write_text(sound)
        check_output(path)
    path.write_text('\ntorn\n{"custom_id": 7}\n')
    with pytest.raises(DataError, match=r"out\.jsonl:2: not a line of batch output .*nor is any other in that file"):
        check_output(path)
