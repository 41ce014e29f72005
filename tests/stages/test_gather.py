from collections import Counter
from pathlib import Path

from tests.stages.support import prepared
from understudy.data.files import read_examples


def test_all_rows_are_gathered_and_only_gold_and_test_have_targets(tmp_path: Path) -> None:
    _, run = prepared(tmp_path)
    examples = list(read_examples(run.inputs))
    assert Counter(example.source for example in examples) == {"gold": 24, "test": 24, "pool": 24}
    assert all((example.target is None) is (example.source == "pool") for example in examples)
