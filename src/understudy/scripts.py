"""What a word is in the scripts of the world, as parts of regular expressions."""

UNSPACED = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Scripts without spaces between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese."""

HANGUL = r"\uac00-\ud7af"
"""Korean has spaces, but its particles lean on the noun without one."""

_MARKS = r"\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u0900-\u0963\u0966-\u0dff"
"""Signs that belong to the letter before them, which are no letters to Python; India's letters stand among them."""


def letters(without: str = "") -> str:
    """A run of letters and digits, each with the signs that belong to it.

    Args:
        without: Characters that are no part of it, as in a character class.
    """
    return rf"(?:[^\W{without}]|[{_MARKS}])+"
