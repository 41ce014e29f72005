"""Planning: what a recipe would do and cost, worked out without asking or writing anything."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from understudy.data import clean
from understudy.errors import RecipeError, UnderstudyError, several
from understudy.progress import Progress
from understudy.recipe import Recipe
from understudy.run_folder import RunFolder
from understudy.stages.arms import comparison_arms
from understudy.stages.gather import read_sources
from understudy.stages.generate import generator_of, proposals_of
from understudy.stages.teach import askable
from understudy.stages.teacher import endpoint_of, interview_of, ledger_of, price_of, teacher_of
from understudy.tasks.task import labels_of
from understudy.teacher.cost.ledger import Budget
from understudy.teacher.cost.prices import list_price
from understudy.teacher.cost.spending import Forecast, Price, Tokens, cost_usd
from understudy.teacher.interview import Interview

Check = Callable[[], object]
"""Raises an UnderstudyError where something is not as it should be."""


@dataclass(frozen=True)
class Plan:
    """What a recipe would do, worked out without spending anything.

    Attributes:
        rows: How many rows of each source there are.
        skipped: How many pool texts the teacher would not be asked about.
        forecast: What asking it would take.
        writing: What having texts written would take; None where none are.
        price: What it charges; None where that is not known.
        price_source: Where the price stands, where it is not the recipe's own.
        budget: What the run may spend, and what of it is spent.
        spent_usd: What the run has spent already, in USD; None where the price is not known.
        arms: Every student on every mixture, with the number of seeds.
        store: Where the teacher's replies are kept.
    """

    rows: dict[str, int]
    skipped: int
    forecast: Forecast
    writing: Forecast | None
    price: Price | None
    price_source: str | None
    budget: Budget
    spent_usd: float | None
    arms: dict[str, int]
    store: Path

    @property
    def to_ask(self) -> int:
        """How many requests would be sent."""
        return self.forecast.to_ask + (0 if self.writing is None else self.writing.to_ask)

    @property
    def tokens(self) -> Tokens:
        """What they would read and write."""
        return self.forecast.tokens if self.writing is None else self.forecast.tokens.plus(self.writing.tokens)

    @property
    def cost_usd(self) -> float | None:
        """What asking the teacher would cost, in USD; None where the price is not known."""
        return cost_usd(self.tokens, self.price)


def plan(recipe: Recipe, run: RunFolder, progress: Progress) -> Plan:
    """Check a recipe's students, teacher and data, and say what a run would do.

    Raises:
        UnderstudyError: Something is not as it should be; whatever can be found at once is listed together.
    """
    rows: Counter[str] = Counter(gold=0, pool=0, test=0)

    def count() -> None:
        rows.update(example.source for example in read_sources(recipe))

    checks = _checks(recipe, run, progress) if recipe.students else _checks(recipe, run, progress)[1:]
    several(_problems([*checks, count]))
    interview = interview_of(recipe, run, progress)
    forecast = teacher_of(recipe, interview).forecast(askable(recipe, read_sources(recipe)))
    listed = None if recipe.teacher.price else list_price(recipe.teacher.model, recipe.teacher.base_url)
    ledger = ledger_of(recipe, run)
    return Plan(
        rows=dict(rows),
        skipped=rows["pool"] + rows["test"] - forecast.rows,
        forecast=forecast,
        writing=_writing(recipe, interview),
        price=price_of(recipe.teacher),
        price_source=None if listed is None else listed.source,
        budget=ledger.budget,
        spent_usd=ledger.spent_usd,
        arms={arm.name: arm.spec.seeds for arm in comparison_arms(recipe)},
        store=interview.store.path,
    )


def check_available(recipe: Recipe, run: RunFolder, progress: Progress) -> None:
    """Find out before any money is spent whether everything that a run needs is there.

    Raises:
        UnderstudyError: It is not; whatever can be found at once is listed together.
    """
    several(_problems(_checks(recipe, run, progress)))


def _writing(recipe: Recipe, interview: Interview) -> Forecast | None:
    """What having texts written would take; what attributes the teacher would propose is not known before."""
    section = recipe.generate
    if section is None:
        return None
    proposals = proposals_of(recipe, section, interview)
    return generator_of(recipe, section, interview, proposals.known()).forecast()


def _checks(recipe: Recipe, run: RunFolder, progress: Progress) -> list[Check]:
    return [
        lambda: _check_students(recipe),
        lambda: _check_teacher(recipe, run, progress),
        lambda: clean.check_available(recipe.clean, labels_of(recipe.task.build())),
    ]


def _check_students(recipe: Recipe) -> None:
    if not recipe.students:
        raise RecipeError(str(recipe.source), ["students: none; expected one at the least (teach needs none)"])
    for arm in {arm.spec.name: arm for arm in comparison_arms(recipe)}.values():
        arm.student.check_available()


def _check_teacher(recipe: Recipe, run: RunFolder, progress: Progress) -> None:
    """Its model, its price where there is a budget, its key."""
    teacher_of(recipe, interview_of(recipe, run, progress))
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
