"""The command line: parse, call the API, print."""

import signal
import sys

from understudy.cli import choose, convert, predict, replies, runs, study, teach
from understudy.cli.app import app
from understudy.errors import UnderstudyError

__all__ = ["app", "choose", "convert", "main", "predict", "replies", "runs", "study", "teach"]


def main() -> None:
    """Run the command line; mistakes of the user's end in one line and exit code 2."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends us may as well be a person at Ctrl-C
    try:
        app()
    except UnderstudyError as error:
        from understudy import console

        console.show_error(str(error))
        sys.exit(2)
