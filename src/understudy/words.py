"""Names and numbers as people write them: metrics, mixtures, milliseconds, megabytes."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

NOT_RECORDED = "not recorded"
NOTHING = "–"
_SHOWN = 100
"""So many characters of what was found are shown in a message."""


class Metric(NamedTuple):
    """How a metric is spoken of.

    Attributes:
        name: In a sentence.
        meaning: What it measures, in a few words.
        lower_is_better: Whether a lower value is the better one.
        decimals: How many of them are shown.
        aside: Whether it is one of several of its kind, and stands behind those that everybody wants to see.
    """

    name: str
    meaning: str
    lower_is_better: bool = False
    decimals: int = 3
    aside: bool = False

    def said(self, value: float | None) -> str:
        """A value of this metric."""
        return score(value, self.decimals)

    def signed(self, difference: float) -> str:
        """A difference of its values."""
        return signed(difference, self.decimals)

    def interval(self, low: float | None, high: float | None) -> str:
        """An interval of its values or differences; empty where there is none."""
        return interval(low, high, self.decimals)


def _rouge(key: str, name: str, counted: str, *, aside: bool = False) -> dict[str, Metric]:
    """The three scores of a kind of ROUGE, which differ in what is counted; precision and recall stand aside."""
    precision = f"the share of the answer that is in the reference: {counted}"
    recall = f"the share of the reference that is in the answer: {counted}"
    f1 = f"how much the answer and the reference share: {counted}, averaged over texts; 1 is perfect"
    return {
        f"{key}_precision": Metric(f"{name} precision", precision, aside=True),
        f"{key}_recall": Metric(f"{name} recall", recall, aside=True),
        f"{key}_f1": Metric(f"{name} F1", f1, aside=aside),
    }


_METRICS = {
    "accuracy": Metric("accuracy", "the share of test texts answered exactly right; 1 is perfect"),
    "macro_f1": Metric(
        "macro-F1",
        "F1 balances wrong answers (precision) against missed ones (recall); macro-F1 is its mean over the labels or "
        "types, so that a rare one counts as much as a common one; 1 is perfect",
    ),
    "precision": Metric("entity precision", "the share of the marked entities that are right, in bounds and type"),
    "recall": Metric("entity recall", "the share of the true entities that were marked, with right bounds and type"),
    "f1": Metric(
        "entity F1",
        "F1 balances wrong entities (precision) against missed ones (recall), over all test texts together; an entity "
        "is right only with both its bounds and its type; 1 is perfect",
    ),
    **_rouge("rouge1", "ROUGE-1", "single words"),
    **_rouge("rouge2", "ROUGE-2", "pairs of neighbouring words"),
    **_rouge("rouge_l", "ROUGE-L", "the longest sequence of words that both have"),
    **_rouge("rouge_lsum", "ROUGE-Lsum", "the longest sequences of words that both have, line by line", aside=True),
    "words": Metric("words", "the length of an answer, on average; neither side is better", decimals=1),
    "length_ratio": Metric(
        "length ratio",
        "words written for each word of the reference; 1 is just as long, and neither side is better",
        decimals=2,
    ),
    "novel_bigrams": Metric(
        "novel bigrams",
        "the share of an answer’s pairs of words that do not stand in the text, of which copied text has none; neither "
        "side is better",
        aside=True,
    ),
    "entity_support": Metric(
        "entity support",
        "the share of the names and numbers in the answers that stand in the text, a cheap look for invented ones; "
        "1 is all of them",
    ),
    "chrf": Metric(
        "chrF", "how many runs of one to six characters the answers share with the references; 1 is perfect"
    ),
    "bleu": Metric("BLEU", "how many runs of one to four words the answers share with the references; 1 is perfect"),
    "exact_match": Metric("exact match", "the share of answers that are the reference, but for spaces; 1 is perfect"),
    "edit_similarity": Metric(
        "edit similarity",
        "one less the share of characters to be changed to get from the answer to the reference, averaged over texts; "
        "1 is perfect",
    ),
    "ece": Metric(
        "ECE",
        "expected calibration error: how far the stated confidence is from the share of right answers, on average; "
        "0 is perfect",
        lower_is_better=True,
    ),
}

_MIXTURES = {
    "gold": "gold labels only",
    "distilled": "the teacher’s labels only",
    "union": "gold and teacher’s labels, shuffled together",
    "simple_mix": "the teacher’s labels first, then gold",
    "reversed": "gold first, then the teacher’s labels",
    "linear": "the teacher’s labels giving way to gold, steadily",
    "cosine": "the teacher’s labels giving way to gold, along a cosine",
    "sigmoid": "the teacher’s labels giving way to gold, about half-way",
    "power": "the teacher’s labels giving way to gold, fast at first",
    "weighted": "gold and teacher’s labels together, each of the teacher’s weighed",
    "needle": "gold, then the teacher’s labels completed and weighed, then gold again",
}


def metric(key: str) -> Metric:
    """The words for a metric; one that is not known goes by its own name."""
    return _METRICS.get(key, Metric(plain(key), ""))


def mixture_meaning(key: str) -> str:
    """What a mixture holds, in a few words; empty where it is not known."""
    return _MIXTURES.get(key, "")


def row_name(student: str, mixture: str | None) -> str:
    """What a row of the comparison goes by: ``student/mixture``, or the name alone for the teacher."""
    return student if mixture is None else f"{student}/{mixture}"


def plain(key: str) -> str:
    """A key such as ``simple_mix`` in words."""
    return key.replace("_", " ")


def arm(name: str) -> str:
    """A row's name in words: ``encoder/simple_mix`` becomes ``encoder (simple mix)``."""
    student, slash, mixture = name.partition("/")
    return f"{student} ({plain(mixture)})" if slash else name


def score(value: float | None, decimals: int = 3) -> str:
    """A score with three decimals, or as many as it bears."""
    return NOTHING if value is None else _minus(f"{value:.{decimals}f}")


def signed(value: float, decimals: int = 3) -> str:
    """A difference of scores with its sign."""
    return _minus(f"{value:+.{decimals}f}")


def interval(low: float | None, high: float | None, decimals: int = 3) -> str:
    """A 95 % interval such as ``[0.850, 0.950]``; empty where there is none."""
    return "" if low is None or high is None else f"[{score(low, decimals)}, {score(high, decimals)}]"


def p_value(value: float | None) -> str:
    """A p-value; the very small ones as a bound."""
    if value is None:
        return NOTHING
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def count(value: float | None, missing: str = NOTHING) -> str:
    """A whole number with commas: ``1,080``."""
    return missing if value is None else f"{value:,.0f}"


def compact(value: float | None) -> str:
    """A large number in thousands, millions or billions: ``22.7 M``."""
    if value is None:
        return NOTHING
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e4, "k")):
        if value >= size:
            return f"{_three_figures(value / (1e3 if unit == 'k' else size))} {unit}"
    return count(value)


def milliseconds(value: float | None) -> str:
    """A latency: ``0.42 ms``, ``9.4 ms``, ``143 ms``, and seconds from ten thousand on."""
    if value is None:
        return NOTHING
    return f"{_three_figures(value)} ms" if value < 10_000 else f"{_three_figures(value / 1000)} s"


def megabytes(value: float | None) -> str:
    """A size on disk, in decimal units: ``640 kB``, ``91.2 MB``, ``1.40 GB``."""
    if value is None:
        return NOTHING
    for size, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= size:
            return f"{_three_figures(value / size)} {unit}"
    return f"{value:.0f} B"


def duration(seconds: float | None) -> str:
    """A training time: ``0.8 s``, ``34 s``, ``4 min 10 s``, ``2 h 5 min``."""
    if seconds is None:
        return NOTHING
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def rate(per_second: float | None) -> str:
    """A throughput in texts per second."""
    if per_second is None:
        return NOTHING
    return count(per_second) if per_second >= 10 else f"{per_second:.1f}"


def dollars(value: float | None) -> str:
    """A sum of money; cents and less where it is small, and two figures of what is next to nothing."""
    if value is None:
        return NOT_RECORDED
    if value == 0 or round(value, 4) >= 1:
        return f"${value:,.2f}"
    return f"${value:.4f}".rstrip("0") if value >= 0.001 else f"${Decimal(f'{value:.2g}'):f}"


def percent(share: float) -> str:
    """A share as a whole percentage."""
    return f"{100 * share:.0f} %"


def day(timestamp: str | None) -> str:
    """A timestamp as ``21 November 2026, 15:00 UTC``; one that cannot be read is shown as it is."""
    if not timestamp:
        return ""
    try:
        moment = datetime.fromisoformat(timestamp)
    except ValueError:
        return timestamp
    if moment.tzinfo:
        moment = moment.astimezone(UTC)
    return f"{moment.day} {moment:%B %Y, %H:%M}" + (" UTC" if moment.tzinfo else "")


def times(ratio: float) -> str:
    """How many times as much, to a precision that a measured ratio bears: ``3.2``, ``130``."""
    if ratio < 10:
        return f"{ratio:.1f}"
    return f"{float(f'{ratio:.2g}'):,.0f}"


def target(value: Any, text: str = "") -> str:
    """Any answer in words: a label or text as it is, entity spans as ``Athens (LOC), Sofia (LOC)``.

    Args:
        value: As it stands in a predictions file: a string, a list of spans, or None for no valid answer.
        text: The text that spans point into.
    """
    if value is None:
        return "no valid answer"
    if isinstance(value, str):
        return value
    spans = [f"{text[span['start'] : span['end']]} ({span['type']})" for span in value]
    return ", ".join(spans) or "none"


def quoted(found: Any) -> str:
    """What was found, text in quotes; cut where it is long, since a reply or a cell can be of any length."""
    return repr(found[:_SHOWN]) if isinstance(found, str) else str(found)[:_SHOWN]


def _three_figures(value: float) -> str:
    for limit, decimals in ((0.01, 4), (0.1, 3), (10, 2), (100, 1)):
        if value < limit:
            return f"{value:.{decimals}f}"
    return f"{value:,.0f}"


def _minus(number: str) -> str:
    """With a real minus sign, and no sign on what rounds to nothing."""
    return number.lstrip("+-") if not float(number) else number.replace("-", "−")
