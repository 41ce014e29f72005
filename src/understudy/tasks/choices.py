"""What a task lets its answers choose from: names, each perhaps with a description for the teacher."""

from collections.abc import Mapping, Sequence

from understudy.errors import DataError


def described(kind: str, choices: Mapping[str, str | None] | Sequence[str], at_least: int) -> dict[str, str]:
    """The choices in their order, each with its description; an empty one where none was given.

    Args:
        kind: What they are, in the singular, for the message.
        choices: The names, with or without descriptions.
        at_least: How many there must be.

    Raises:
        DataError: There are too few, one is empty or no text, or one stands twice.
    """
    if not all(isinstance(choice, str) and choice.strip() for choice in choices):
        raise DataError(f"a {kind} is empty or not text; expected each as text (in quotes where YAML sees no text)")
    if not isinstance(choices, Mapping) and len(set(choices)) < len(choices):
        raise DataError(f"a {kind} stands twice in the list; expected each once")
    if len(choices) < at_least:
        raise DataError(f"{len(choices)} {kind}(s) given; expected at least {('one', 'two')[at_least - 1]}")
    pairs = choices if isinstance(choices, Mapping) else dict.fromkeys(choices)
    return {choice: description or "" for choice, description in pairs.items()}
