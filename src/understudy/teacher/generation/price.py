"""The price of a written text beyond its own reply: of what was asked so that it could be written, or to check it."""

from dataclasses import replace

from understudy.example import Example
from understudy.teacher.answer import added, replies_in
from understudy.teacher.cost.spending import Tokens, usage_tokens


def at_further_price(row: Example, replies: int, tokens: Tokens | None) -> Example:
    """The row with further replies, and the tokens that they took, added to its own.

    Args:
        row: A written text, or what stands in its place.
        replies: How many came for its sake.
        tokens: What they took; None where that is not known.
    """
    if not replies:
        return row
    together = added(usage_tokens(row.meta), tokens)
    usage = {} if together is None else {"usage": together.usage()}
    return replace(row, meta={**row.meta, "replies": replies_in(row.meta) + replies, **usage})
