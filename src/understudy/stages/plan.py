"""Planning: what a recipe would do and cost, worked out without asking anything."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial, reduce
from itertools import chain
from pathlib import Path

from understudy.data import clean
from understudy.errors import RecipeError, UnderstudyError, several
from understudy.example import Example, Source
from understudy.progress import Progress
from understudy.recipe import Recipe
from understudy.run_folder import RunFolder
from understudy.stages.arms import comparison_arms
from understudy.stages.gather import file_formats, read_gold, read_sources
from understudy.stages.generate import writing_forecasts
from understudy.stages.inventory import Inventory
from understudy.stages.teach import askable, screened
from understudy.stages.teacher import dialect_of, endpoint_of, interview_of, ledger_of, price_of, teacher_of
from understudy.tasks.task import labels_of
from understudy.teacher.cost.ledger import Budget, worst_case
from understudy.teacher.cost.prices import list_price
from understudy.teacher.cost.spending import Forecast, Price, Tokens, cost_usd
from understudy.teacher.teacher import Teacher

Check = Callable[[], object]
"""Raises an UnderstudyError where something is not as it should be."""


@dataclass(frozen=True)
class Plan:
    """What a recipe would do, worked out without spending anything.

    Attributes:
        rows: How many rows of each source there are.
        left_out: How many more rows of gold are left out, by the reason.
        formats: What the file of each source is, where the task is to mark entities.
        entities: How many entities of each type its rows have.
        oddities: What is odd in the data, though no mistake, in a line each.
        passed_over: How many pool texts the teacher would not be asked about, by the reason.
        forecast: What asking it would take.
        writing: What having texts written would take; None where none are.
        checking: What having the teacher check these texts would take; None where it does not.
        price: What it charges; None where that is not known.
        price_source: Where the price stands, where it is not the recipe's own.
        budget: What the run may spend.
        left: What of it is left.
        spent_usd: What the run has spent already, in USD; None where the price is not known.
        attempt: The most that the first request about a text could take, which is set aside before it is sent; None
            where nobody would be asked.
        max_tokens: How much of that is for the reply.
        arms: How many times every student is trained on every mixture.
        store: Where the teacher's replies are kept.
    """

    rows: dict[Source, int]
    left_out: dict[str, int]
    formats: dict[Source, str]
    entities: dict[Source, Counter[str]]
    oddities: list[str]
    passed_over: dict[str, int]
    forecast: Forecast
    writing: Forecast | None
    checking: Forecast | None
    price: Price | None
    price_source: str | None
    budget: Budget
    left: Budget
    spent_usd: float | None
    attempt: Tokens | None
    max_tokens: int
    arms: dict[str, int]
    store: Path

    @property
    def skipped(self) -> int:
        """How many pool texts the teacher would not be asked about."""
        return sum(self.passed_over.values())

    @property
    def to_ask(self) -> int:
        """How many requests would be sent."""
        return sum(forecast.to_ask for forecast in self._forecasts)

    @property
    def tokens(self) -> Tokens:
        """What they would read and write."""
        return reduce(Tokens.plus, (forecast.tokens for forecast in self._forecasts))

    @property
    def cost_usd(self) -> float | None:
        """What asking the teacher would cost, in USD; None where the price is not known."""
        return cost_usd(self.tokens, self.price)

    @property
    def attempt_usd(self) -> float | None:
        """The same for the first request at its worst."""
        return cost_usd(self.attempt, self.price)

    @property
    def _forecasts(self) -> list[Forecast]:
        return [forecast for forecast in (self.forecast, self.writing, self.checking) if forecast is not None]


def plan(recipe: Recipe, run: RunFolder, progress: Progress) -> Plan:
    """Check a recipe's students, teacher and data, and say what a run would do.

    Raises:
        UnderstudyError: Something is not as it should be; whatever can be found at once is listed together.
    """
    inventory, passed_over = Inventory(recipe), Counter[str]()

    def count() -> None:
        for example in read_sources(recipe):
            inventory.add(example)

    checks = _checks(recipe, run, progress) if recipe.students else _checks(recipe, run, progress)[1:]
    several(_problems([*checks, count]))
    interview, gold = interview_of(recipe, run, progress), partial(read_gold, recipe)
    teacher = teacher_of(recipe, interview, gold)
    forecast = teacher.forecast(_worth_asking(recipe, passed_over))
    section = recipe.generate
    writing, checking = (None, None) if section is None else writing_forecasts(recipe, section, interview, gold)
    listed = None if recipe.teacher.price else list_price(recipe.teacher.model, recipe.teacher.base_url)
    ledger = ledger_of(recipe, run)
    return Plan(
        rows=dict(inventory.rows),
        left_out=dict(inventory.left_out),
        formats=file_formats(recipe),
        entities=dict(inventory.entities),
        oddities=list(inventory.notes()),
        passed_over=dict(passed_over.most_common()),
        forecast=forecast,
        writing=writing,
        checking=checking,
        price=price_of(recipe.teacher),
        price_source=None if listed is None else listed.source,
        budget=ledger.budget,
        left=ledger.left,
        spent_usd=ledger.spent_usd,
        attempt=_first_attempt(recipe, teacher),
        max_tokens=recipe.teacher.max_tokens,
        arms=Counter(arm.name for arm in comparison_arms(recipe)),
        store=interview.store.path,
    )


def check_available(recipe: Recipe, run: RunFolder, progress: Progress) -> None:
    """Find out before any money is spent whether everything that a run needs is there.

    Raises:
        UnderstudyError: It is not; whatever can be found at once is listed together.
    """
    several(_problems(_checks(recipe, run, progress)))


def _worth_asking(recipe: Recipe, passed_over: Counter[str]) -> Iterator[Example]:
    """The texts that the teacher would be asked about; the reasons not to ask about others are counted."""
    for example in screened(recipe, read_sources(recipe)):
        if clean.is_rejected(example):
            passed_over[clean.kind_of_rejection(example)] += 1
        else:
            yield example


def _first_attempt(recipe: Recipe, teacher: Teacher) -> Tokens | None:
    """The worst case of the first request that would be sent about a text."""
    if recipe.teacher.base_url is None:
        return None
    questions = teacher.questions(askable(recipe, read_sources(recipe)))
    body = next(chain.from_iterable(bodies for _, bodies in teacher.interview.outstanding(questions)), None)
    if body is None:
        return None
    wire = dialect_of(recipe).spoken(body, recipe.teacher.max_tokens)
    return worst_case(wire, json.dumps(wire, ensure_ascii=False).encode("utf-8"))


def _checks(recipe: Recipe, run: RunFolder, progress: Progress) -> list[Check]:
    return [
        lambda: _check_students(recipe),
        lambda: _check_teacher(recipe, run, progress),
        lambda: clean.check_available(recipe.clean, labels_of(recipe.task.build())),
    ]


def _check_students(recipe: Recipe) -> None:
    if all(arm.control for arm in comparison_arms(recipe)):
        found = "none but a control" if recipe.students else "none"
        raise RecipeError(str(recipe.source), [f"students: {found}; expected one at the least (teach needs none)"])
    for arm in {arm.spec.name: arm for arm in comparison_arms(recipe)}.values():
        arm.student.check_available()


def _check_teacher(recipe: Recipe, run: RunFolder, progress: Progress) -> None:
    """Its model, its price where there is a budget, its key."""
    teacher_of(recipe, interview_of(recipe, run, progress), partial(read_gold, recipe))
    endpoint = endpoint_of(recipe.teacher)
    if endpoint is not None:
        endpoint.secret_headers()


def _problems(checks: Iterable[Check]) -> list[UnderstudyError]:
    """What the checks have found."""
    found = []
    for check in checks:
        try:
            check()
        except UnderstudyError as error:
            found.append(error)
    return found
