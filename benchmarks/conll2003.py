"""Named entities in Reuters news: every tagger on all CoNLL-2003 sentences, on 1,000, and on what gpt-3.5 wrote.

    python -m benchmarks.conll2003 [--data ../shared/bench] [--out runs/conll2003] [--only linear gbdt …]

Trains on the training part of CoNLL-2003 (Tjong Kim Sang and De Meulder 2003) and measures on its validation part; 300
training sentences are held out to stop by. The second table is about three types (no MISC): sentences that
gpt-3.5-turbo wrote and labelled (Heng et al. 2024, ProgGen) beside as many human-labelled ones. Published for
comparison: BERT-base, trained on all, has 92.4 F1 on the *test* part (Devlin et al. 2019). Prints the tables of
docs/benchmarks.md as Markdown.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.grid import Arm, DataSet, results, table
from understudy.data.entities import conll
from understudy.data.entities.marked import marked_text
from understudy.data.entities.tags import spans_of
from understudy.data.files import read_rows
from understudy.data.split import hold_out
from understudy.errors import DataError
from understudy.example import Example, Span
from understudy.tasks.ner import NER

TYPES = {"PER": "person", "ORG": "organization", "LOC": "location", "MISC": "miscellaneous"}
STUDENTS = ["linear", "gbdt", "lstm", "encoder", "t5", "bart"]
FEW = 2_000
"""On fewer sentences the usual passes would be too few steps."""
ON_FEW: dict[str, dict[str, Any]] = {
    "lstm": {"epochs": 16},
    "encoder": {"epochs": 8},
    "t5": {"model": "scratch", "epochs": 8},
    "bart": {"model": "scratch", "epochs": 8},
}
ON_MANY: dict[str, dict[str, Any]] = {"linear": {}, "gbdt": {}, "lstm": {}, "encoder": {"epochs": 2}}
ON_WRITTEN = ["linear", "gbdt", "encoder"]
METRICS = {"f1": "strict F1", "precision": "precision", "recall": "recall", "macro_f1": "macro-F1"}
WRITTEN = ["Simple-Prompt", "Diversify-X", "Diversify-Y-vanilla", "Diversify-Y-latent", "Diversify-X_Y"]


def main() -> None:
    """Measure every arm and print the tables."""
    arguments = _arguments()
    if not (arguments.data / "conll2003").is_dir():
        print(f"passed over: {arguments.data / 'conll2003'} is not there")
        return
    train = list(_sentences(arguments.data / "conll2003" / "train.conll"))
    test = list(_sentences(arguments.data / "conll2003" / "val.conll"))
    rest, validation = hold_out(train, 300 / len(train), seed=0, alike=False)
    sizes = {f"gold, {len(some):,}": some for some in (rest[:1000], rest) if len(some) <= arguments.most}
    print(_four_types(arguments, sizes, validation, test))
    if (arguments.data / "proggen-conll").is_dir():
        print(_three_types(arguments, rest, validation, test))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, default=Path("../shared/bench"))
    parser.add_argument("--out", type=Path, default=Path("runs/conll2003"))
    parser.add_argument("--only", nargs="*", default=STUDENTS, help="the students to measure")
    parser.add_argument("--most", type=int, default=100_000, help="leave out training sets of more sentences")
    return parser.parse_args()


def _four_types(
    arguments: argparse.Namespace,
    sizes: Mapping[str, Sequence[Example]],
    validation: Sequence[Example],
    test: Sequence[Example],
) -> str:
    arms = [arm for name, examples in sizes.items() for arm in _arms(arguments.only, name, examples)]
    data = DataSet(NER(types=list(TYPES)), validation, test)
    return table(list(results(data, arms, arguments.out / "four-types")), METRICS)


def _three_types(
    arguments: argparse.Namespace, gold: Sequence[Example], validation: Sequence[Example], test: Sequence[Example]
) -> str:
    """What sentences that a large model wrote are worth, beside as many human-labelled ones."""
    folder = arguments.data / "proggen-conll"
    written = {f"gpt-3.5, {name}": list(_written(folder / f"corrected_{name}.jsonl")) for name in WRITTEN}
    sets = {**written, "gold, 1,700": [_without_misc(example) for example in gold[:1700]]}
    data = DataSet(NER(types=list(TYPES)[:3]), [*map(_without_misc, validation)], [*map(_without_misc, test)])
    only = [student for student in arguments.only if student in ON_WRITTEN]
    arms = [arm for name, examples in sets.items() for arm in _arms(only, name, examples)]
    return table(list(results(data, arms, arguments.out / "three-types")), METRICS)


def _arms(students: Sequence[str], name: str, examples: Sequence[Example]) -> list[Arm]:
    """An arm for each student, with settings that suit so many examples."""
    if len(examples) > FEW:
        return [Arm(student, name, examples, ON_MANY[student]) for student in students if student in ON_MANY]
    return [Arm(student, name, examples, ON_FEW.get(student, {})) for student in students]


def _sentences(path: Path) -> Iterator[Example]:
    for number, row in conll.read(path):
        if isinstance(row, DataError):
            raise row
        text = marked_text(row, {})
        yield Example(id=f"{path.stem}-{number}", text=text.text, target=text.spans, source="gold")


def _written(path: Path) -> Iterator[Example]:
    """The sentences of one prompting scheme, as tokens with their tags."""
    names = {long: short for short, long in TYPES.items()}
    for number, row in read_rows(path):
        spans = [Span(start, end, names[type_]) for start, end, type_ in spans_of(row["tokens"], row["labels"], False)]
        text = " ".join(row["tokens"])
        yield Example(id=f"{path.stem}-{number}", text=text, target=tuple(spans), source="generated")


def _without_misc(example: Example) -> Example:
    assert isinstance(example.target, tuple)
    return replace(example, target=tuple(span for span in example.target if span.type != "MISC"))


if __name__ == "__main__":
    main()
