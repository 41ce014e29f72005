"""The shape of a word: how it is written, which tells names apart where a vocabulary has no capital letters."""

SHAPES = ("none", "lower", "capitalised", "letter", "upper", "digits", "mixed", "caseless", "mark")
"""``none`` is for what is no word, ``letter`` a single capital, ``caseless`` a word of a script without capitals, and
``mark`` what has neither letters nor digits."""

NO_SHAPE = SHAPES.index("none")


def shape(word: str) -> int:
    """The number of a word's shape in `SHAPES`."""
    return SHAPES.index(_name(word))


def _name(word: str) -> str:
    if word.islower():
        return "lower" if word.isalpha() else "mixed"
    if word.isupper():
        return "letter" if len(word) == 1 else "upper"
    if word.isdecimal():
        return "digits"
    if word[:1].isupper() and word[1:].islower():
        return "capitalised"
    if not any(map(str.isalnum, word)):
        return "mark"
    return "caseless" if word.lower() == word.upper() else "mixed"
