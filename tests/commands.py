"""What tests of the command line share."""

from collections.abc import Callable

Call = Callable[..., tuple[int, str, str]]

GOLD = [{"id": "g1", "text": "match", "label": "sport"}, {"id": "g2", "text": "vote", "label": "politics"}]
POOL = [{"id": "p1", "text": "Goal!"}, {"id": "p2", "text": "A law."}]
TEST = [{"id": "t1", "text": "Cup final", "label": "sport"}, {"id": "t2", "text": "An election", "label": "politics"}]


def one_line(err: str) -> str:
    """The error's text, which is one line and no traceback."""
    assert err.startswith("error: ")
    assert err.count("\n") == 1, err
    return err.removeprefix("error: ").rstrip("\n")
