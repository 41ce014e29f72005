"""From a recipe to its teacher: who answers, where the replies are kept, and what it may cost."""

from pathlib import Path

from understudy.progress import Progress
from understudy.recipe import Recipe
from understudy.recipe.sections import LOCAL, VLLM, TeacherSection
from understudy.run_folder import RunFolder
from understudy.stages.gather import Gold
from understudy.stages.split import divided
from understudy.students.embedding import embed
from understudy.teacher.annotation.shots import FixedShots, NearestShots, Shots
from understudy.teacher.cost.ledger import Budget, Ledger
from understudy.teacher.cost.prices import list_price
from understudy.teacher.cost.spending import Price
from understudy.teacher.cost.tokens import TokenCount, estimated_tokens, token_count
from understudy.teacher.endpoint.client import Client
from understudy.teacher.endpoint.dialect import Dialect, Dialects
from understudy.teacher.endpoint.endpoint import Endpoint
from understudy.teacher.interview import Interview
from understudy.teacher.local.channel import LocalChannel
from understudy.teacher.local.model import LocalModel
from understudy.teacher.local.vllm import VllmModel
from understudy.teacher.replies.store import STORE, ReplyStore
from understudy.teacher.teacher import Manner, Teacher

_TEMPERATURE_OF_VOTES = 0.7
"""Votes must be able to differ."""


def teacher_of(recipe: Recipe, interview: Interview, gold: Gold) -> Teacher:
    """The recipe's teacher, asked as the recipe says.

    Args:
        recipe: Says who it is, and how it is asked.
        interview: Puts the questions.
        gold: What examples to show are taken from, where there shall be any.

    Raises:
        UnderstudyError: Gold examples that it is to be shown, or the tokenizer, cannot be loaded.
    """
    section = recipe.teacher
    return Teacher(
        task=recipe.task.build(),
        model=model_name(section),
        interview=interview,
        manner=manner_of(recipe, gold),
        count=count_of(section),
    )


def interview_of(recipe: Recipe, run: RunFolder, progress: Progress) -> Interview:
    """The way to ask the recipe's teacher anything, within the budget of the run.

    It begins with the replies that were given so far, to whatever run.

    Raises:
        UnderstudyError: Nothing can be asked as the recipe says: the price for a budget or the model is missing.
    """
    section = recipe.teacher
    model, endpoint = model_in_process(section), endpoint_of(section)
    ledger = ledger_of(recipe, run)
    if model is not None:
        model.check()
        return Interview(store_of(section, model.name), lambda: LocalChannel(model), LocalChannel(model).parallel)
    if endpoint is None:
        return Interview(store_of(section, None), None)
    dialects = _dialects(section, endpoint)
    return Interview(
        store_of(section, endpoint.name),
        lambda: Client(endpoint, ledger, dialects, progress.say),
        endpoint.concurrency,
    )


def endpoint_of(section: TeacherSection) -> Endpoint | None:
    """Where the teacher answers over HTTP; None where it does not."""
    if section.base_url is None:
        return None
    return Endpoint(
        base_url=section.base_url,
        api_key_env=section.api_key_env,
        headers=section.headers,
        headers_env=section.headers_env,
        structure=section.structure,
        max_tokens=section.max_tokens,
        timeout=section.timeout,
        deadline=section.deadline,
        max_attempts=section.max_attempts,
        concurrency=section.concurrency,
        requests_per_minute=section.requests_per_minute,
        tokens_per_minute=section.tokens_per_minute,
    )


def store_of(section: TeacherSection, answerer: str | None) -> ReplyStore:
    """Where the teacher's replies are kept and looked for."""
    recordings = [(recording.requests, recording.replies) for recording in section.replies]
    return ReplyStore(section.store or STORE, recordings, answerer)


def ledger_of(recipe: Recipe, run: RunFolder) -> Ledger:
    """The account of a run, which keeps it within its budget."""
    budget = recipe.teacher.budget
    return Ledger(run.spending, price_of(recipe.teacher), Budget(budget.usd, budget.tokens))


def price_of(section: TeacherSection) -> Price | None:
    """What the teacher charges: by the recipe, by its provider's list, or nothing where it runs in this process."""
    if section.price is not None:
        return section.price
    listed = list_price(section.model, section.base_url)
    if listed is not None:
        return listed.price
    return Price(0.0, 0.0) if section.in_process else None


def model_in_process(section: TeacherSection) -> LocalModel | VllmModel | None:
    """The model that answers in this process; None where none does."""
    _, _, name = section.model.partition(":")
    if section.model.startswith(LOCAL):
        return LocalModel(path=Path(name), batch_size=section.batch_size, max_tokens=section.max_tokens)
    if section.model.startswith(VLLM):
        return VllmModel(model=name, max_tokens=section.max_tokens)
    return None


def model_name(section: TeacherSection) -> str:
    """What the model goes by in a request: a local one by its folder's name, wherever the folder lies."""
    return f"{LOCAL}{Path(section.model).name}" if section.model.startswith(LOCAL) else section.model


def manner_of(recipe: Recipe, gold: Gold) -> Manner:
    """How the teacher is asked about a text."""
    wanted = recipe.annotate
    temperature = wanted.temperature
    if temperature is None and wanted.votes > 1:
        temperature = _TEMPERATURE_OF_VOTES
    return Manner(votes=wanted.votes, temperature=temperature, soft=wanted.soft, shots=shots_of(recipe, gold))


def shots_of(recipe: Recipe, gold: Gold) -> Shots | None:
    """What chooses the gold examples that the teacher is shown, none of them held out; None where it is shown none."""
    wanted = recipe.annotate.examples
    if wanted is None:
        return None
    learned, _ = divided(gold(), recipe)
    if wanted.choose == "fixed":
        return FixedShots(learned, wanted.count, wanted.seed)
    return NearestShots(learned, wanted.count, embed)


def dialect_of(recipe: Recipe) -> Dialect:
    """How the teacher's endpoint is spoken to, as far as that is known; plainly where there is none."""
    section = recipe.teacher
    endpoint = endpoint_of(section)
    known = None if endpoint is None else _dialects(section, endpoint).known()
    return Dialect.of(section.structure) or known or Dialect()


def count_of(section: TeacherSection) -> TokenCount:
    """What counts the tokens of a request before it is asked.

    Raises:
        UnderstudyError: The tokenizer cannot be loaded.
    """
    if section.tokenizer is not None:
        return token_count(section.tokenizer)
    model = model_in_process(section)
    return model.tokens if isinstance(model, LocalModel) else estimated_tokens


def _dialects(section: TeacherSection, endpoint: Endpoint) -> Dialects:
    path = section.store or STORE
    return Dialects(path.with_name(f"{path.name}.dialects.json"), f"{endpoint.name} {section.model}")
