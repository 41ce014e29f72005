"""What tests of the stages share: the stages before training, done, and somebody who plays the teacher."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.newswire import NEWSWIRE, recorded_labels, rows, write_slice
from tests.teacher.fake_endpoint import Act, answers
from tests.teacher.support import Noted
from understudy.recipe import Recipe
from understudy.run_folder import RunFolder
from understudy.stages.clean import clean
from understudy.stages.gather import gather
from understudy.stages.split import split
from understudy.stages.teach import teach


def prepared(folder: Path, **changed: Any) -> tuple[Recipe, RunFolder]:
    """The stages before training, done."""
    recipe, run = Recipe.load(write_slice(folder, per_desk=2, pool=24, **changed)), RunFolder(folder / "run")
    gather(recipe, run)
    teach(recipe, run, Noted())
    clean(recipe, run, Noted())
    split(recipe, run)
    return recipe, run


class Desk:
    """Plays a teacher that knows the newswire: it labels as was recorded, and what it writes are recorded articles.

    Args:
        texts: How many it writes in one reply.
        proposed: The attributes that it proposes; subtopics are called after their label.
    """

    def __init__(self, texts: int = 1, proposed: dict[str, list[str]] | None = None) -> None:
        self.texts = texts
        self.proposed = proposed or {"length": ["a line", "a page"]}
        by_id = recorded_labels()
        articles = [row for name in ("pool", "test") for row in rows(NEWSWIRE / f"{name}.jsonl")]
        self.labels = {row["text"]: by_id[row["id"]] for row in articles}
        by_label = defaultdict(list)
        for row in rows(NEWSWIRE / "pool.jsonl")[100:]:
            by_label[by_id[row["id"]]].append(row["text"])
        self.articles: dict[str, Iterator[str]] = {label: iter(found) for label, found in by_label.items()}

    def __call__(self, asked: str) -> Act:
        return answers(self.reply(asked), usage=(100, 20))

    def reply(self, asked: str) -> str:
        """What it replies to the last message of a request."""
        if asked.startswith("Which attributes"):
            attributes = [{"name": name, "values": values} for name, values in self.proposed.items()]
            return json.dumps({"attributes": attributes})
        label = re.search(r"^label: (\w+)$", asked, re.MULTILINE)
        if label is None:
            return json.dumps({"label": self.labels[asked]})
        if "attribute: subtopic" in asked:
            return json.dumps({"values": [f"{label[1]} at home", f"{label[1]} abroad"]})
        written = [next(self.articles[label[1]]) for _ in range(self.texts)]
        return json.dumps({"text": written[0]} if self.texts == 1 else {"texts": written})
