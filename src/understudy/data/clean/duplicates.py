"""Texts that have been there before, equal or nearly so: one is enough to learn from, none if it is in the test set."""

from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple, Self

from understudy.data.clean.rejection import is_rejected, rejected
from understudy.data.clean.shingles import MinHash, jaccard, shingles
from understudy.data.clean.spool import Spool
from understudy.data.disk_map import DiskMap
from understudy.data.load import text_key
from understudy.example import Example

if TYPE_CHECKING:
    from understudy.data.clean.shingles import Hashes

_HELD_OUT = {"test": "test", "gold": "validation"}


def reject_duplicates(
    examples: Iterable[Example], held_out: Iterable[Example], threshold: float | None, decontaminate: bool = True
) -> Iterator[Example]:
    """Reject texts that equal an earlier one or one that is held out, or nearly so; the earlier one stays.

    Args:
        examples: What is to be learned from; test rows among them pass, and are held out for those behind them.
        held_out: Test and validation texts: what is learned cannot judge.
        threshold: The Jaccard similarity from which two texts are nearly equal; None leaves only equal ones.
        decontaminate: Whether held-out texts count at all.
    """
    with Texts(threshold) as texts:
        for example in held_out if decontaminate else ():
            texts.add(example)
        for example in examples:
            if is_rejected(example):
                yield example
            elif example.source == "test":
                if decontaminate:
                    texts.add(example)
                yield example
            else:
                twin = texts.meet(example)
                yield example if twin is None else _rejected(example, twin)


def _rejected(example: Example, twin: "Twin") -> Example:
    """The example, rejected for its twin's sake."""
    where = _HELD_OUT.get(twin.example.source)
    if twin.similarity is None:
        return rejected(example, f"stands in {where}" if where else "duplicate", of=twin.example.id)
    reason = f"near-duplicate of {where}" if where else "near-duplicate"
    return rejected(example, reason, of=twin.example.id, similarity=round(twin.similarity, 3))


class Twin(NamedTuple):
    """An earlier example of nearly the same text, and the Jaccard similarity of the two; None where they are equal."""

    example: Example
    similarity: float | None


class Texts:
    """The texts so far, to be asked whether another one is new; they lie on the disk with their index, memory is flat.

    Args:
        threshold: The Jaccard similarity from which two texts are nearly equal; None leaves only equal ones.
    """

    def __init__(self, threshold: float | None) -> None:
        self._spool = Spool()
        self._equal: DiskMap[int] = DiskMap()
        self._alike: DiskMap[int] = DiskMap()
        self._minhash = None if threshold is None else MinHash(threshold)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._spool.close()
        self._equal.close()
        self._alike.close()

    def meet(self, example: Example) -> Twin | None:
        """The earlier text that is the same or nearly so; where there is none, this one is remembered."""
        sketch = self._sketch(example.text)
        twin = self._twin(sketch)
        if twin is None:
            self._remember(example, sketch)
        return twin

    def add(self, example: Example) -> None:
        """Remember a text, whatever it is like."""
        self._remember(example, self._sketch(example.text))

    def _sketch(self, text: str) -> "_Sketch":
        hashes = shingles(text)
        bands = self._minhash.bands(hashes) if self._minhash else []
        places = {band: self._alike.get(band) for band in bands}
        return _Sketch(text_key(text), hashes, places)

    def _twin(self, sketch: "_Sketch") -> Twin | None:
        place = self._equal.get(sketch.key)
        if place is not None:
            return Twin(self._spool.at(place), None)
        if self._minhash is None:
            return None
        places = sorted({place for place in sketch.places.values() if place is not None})
        earlier = map(self._spool.at, places)
        twins = [(jaccard(sketch.hashes, shingles(example.text)), example) for example in earlier]
        similarity, example = max(twins, key=itemgetter(0), default=(0.0, None))
        return Twin(example, similarity) if example and similarity >= self._minhash.threshold else None

    def _remember(self, example: Example, sketch: "_Sketch") -> None:
        place = self._spool.append(Example(id=example.id, text=example.text, source=example.source))
        self._equal.setdefault(sketch.key, place)
        for band, earlier in sketch.places.items():
            if earlier is None:
                self._alike.put(band, place)


class _Sketch(NamedTuple):
    """A text as others are compared with it.

    Attributes:
        key: What equal texts share.
        hashes: Its shingles.
        places: For each of its bands the place of the first text that had it, None where it is the first.
    """

    key: bytes
    hashes: "Hashes"
    places: dict[bytes, int | None]
