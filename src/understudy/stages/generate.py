"""Generation: the texts that the teacher writes, for targets or out of nothing but a description."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from itertools import filterfalse, islice
from typing import Any

from understudy.data.clean import is_rejected
from understudy.data.clean.spool import Spool
from understudy.data.files import digest, read_examples, write_examples
from understudy.example import Example
from understudy.progress import Progress, Silent
from understudy.recipe import Recipe
from understudy.recipe.sections import Generation
from understudy.run_folder import RunFolder
from understudy.stages.gather import Gold, gold_of
from understudy.stages.split import divided, split_settings
from understudy.stages.teach import stop_at_budget, who_answers
from understudy.stages.teacher import count_of, interview_of, model_name, teacher_of
from understudy.tasks.task import labels_of
from understudy.teacher.answer import Question
from understudy.teacher.cost.ledger import BudgetReached
from understudy.teacher.cost.spending import Forecast
from understudy.teacher.generation.attributes import Proposals, Proposed
from understudy.teacher.generation.briefs import Brief, of_design, of_examples, of_file, repeated, spread
from understudy.teacher.generation.design import Attribute
from understudy.teacher.generation.generator import Generator, Writing
from understudy.teacher.generation.price import at_further_price
from understudy.teacher.generation.self_check import self_checked
from understudy.teacher.interview import Interview


def generate(recipe: Recipe, run: RunFolder, progress: Progress) -> bool:
    """Have the teacher write texts into ``2-generated.jsonl``, if the recipe wants any.

    Raises:
        BudgetReached: The budget did not suffice, and the recipe says to stop there; all that was answered is kept.
    """
    section = recipe.generate
    if section is None:
        return False
    inputs = {
        "inputs": run.inputs,
        "task": recipe.task.fingerprint(),
        "teacher": who_answers(recipe),
        "generate": section.model_dump(mode="json"),
        "targets": None if section.targets is None else digest(section.targets),
        "annotate": recipe.annotate.model_dump() if section.self_check else None,
        "split": split_settings(recipe),
    }
    interview = interview_of(recipe, run, progress)
    done = run.make(run.generated, inputs, lambda: _write(recipe, section, run, interview, progress))
    stop_at_budget(recipe, interview)
    return done


def _write(recipe: Recipe, section: Generation, run: RunFolder, interview: Interview, progress: Progress) -> bool:
    """Whether all texts are there, or as good as refused."""
    gold = partial(gold_of, recipe, run)
    try:
        proposed = proposals_of(recipe, section, interview).find()
    except BudgetReached:  # nobody was paid to say what the texts are to differ in
        write_examples(run.generated, ())
        return False
    generator = generator_of(recipe, section, interview, proposed.attributes, gold)
    with closing(generator.generate(progress)) as written, Spool(_at_their_price(written, proposed)) as texts:
        if section.self_check is None:
            write_examples(run.generated, texts)
        else:
            total = sum(1 for _ in filterfalse(is_rejected, texts))
            teacher = teacher_of(recipe, interview, gold)
            with closing(self_checked(texts, teacher, section.self_check, progress, total)) as checked:
                write_examples(run.generated, checked)
    return not any(example.meta.get("unanswered") for example in read_examples(run.generated))


def _at_their_price(texts: Iterable[Example], proposed: Proposed) -> Iterator[Example]:
    """The texts; what it took to propose their attributes is counted with the first."""
    rows = iter(texts)
    for first in islice(rows, 1):
        yield at_further_price(first, proposed.replies, proposed.tokens)
    yield from rows


def writing_questions(
    recipe: Recipe, section: Generation, interview: Interview, gold: Gold
) -> Iterator[tuple[object, Sequence[Question[Any]]]]:
    """What is asked for the texts, as far as it can be known.

    What hangs on answers, as texts do on attributes that the teacher proposes, and its own check on the texts, is known
    once all these are there.

    Raises:
        TeacherError: What the teacher proposed cannot be used.
    """
    proposals = proposals_of(recipe, section, interview)
    yield from proposals.questions()
    if _is_open(interview, proposals.questions()):
        return
    generator = generator_of(recipe, section, interview, proposals.find().attributes, gold)
    yield from generator.questions()
    if section.self_check is None or _is_open(interview, generator.questions()):
        return
    texts = filterfalse(is_rejected, generator.generate(Silent()))
    yield from teacher_of(recipe, interview, gold).questions(texts)


def writing_forecasts(
    recipe: Recipe, section: Generation, interview: Interview, gold: Gold
) -> tuple[Forecast, Forecast | None]:
    """What the texts would take, and the teacher's own check of them, if there is one; nothing is asked.

    Attributes that the teacher has not proposed yet are left out, and a text that is not written has the usual length.
    """
    proposals = proposals_of(recipe, section, interview)
    to_come = _is_open(interview, proposals.questions())
    attributes = proposals.known() if to_come else proposals.find().attributes
    generator = generator_of(recipe, section, interview, attributes, gold)
    if section.self_check is None:
        return generator.forecast(), None
    texts = filterfalse(is_rejected, generator.expected())
    return generator.forecast(), teacher_of(recipe, interview, gold).forecast(texts)


def proposals_of(recipe: Recipe, section: Generation, interview: Interview) -> Proposals:
    """The attributes that the texts are spread over, as far as they are given, and the way to the others."""
    return Proposals(
        task=recipe.task.build(),
        model=model_name(recipe.teacher),
        interview=interview,
        description=section.description,
        given={} if section.attributes is None and section.from_ == "targets" else section.attributes,
    )


def generator_of(
    recipe: Recipe, section: Generation, interview: Interview, attributes: list[Attribute], gold: Gold
) -> Generator:
    """The teacher as a writer of texts over these attributes."""
    return Generator(
        task=recipe.task.build(),
        model=model_name(recipe.teacher),
        interview=interview,
        briefs=_briefs(recipe, section, attributes, gold),
        writing=Writing(
            description=section.description,
            texts=section.texts_per_request,
            prompt=section.prompt,
            temperature=section.temperature,
        ),
        count=count_of(recipe.teacher),
    )


def _is_open(interview: Interview, asked: Iterable[tuple[object, Sequence[Question[Any]]]]) -> bool:
    """Whether a reply to any of these questions may still come."""
    return any(bodies for _, bodies in interview.outstanding(asked))


def _briefs(
    recipe: Recipe, section: Generation, attributes: list[Attribute], gold: Gold
) -> Callable[[], Iterable[Brief]]:
    """What each request asks for; the same each time that it is called."""
    labels, requests = labels_of(recipe.task.build()), section.requests
    if section.from_ == "attributes" or (labels and section.targets is None):
        return lambda: of_design(attributes, labels, requests or 0, section.seed)

    def targets() -> Iterator[Brief]:
        if section.targets is not None:
            return of_file(section.targets, recipe.data.columns, recipe.task.build())
        learned, _ = divided(gold(), recipe)
        return of_examples(learned)

    def wanted() -> Iterator[Brief]:
        return targets() if requests is None else repeated(targets, requests)

    if not attributes:
        return wanted
    return lambda: spread(wanted(), attributes, sum(1 for _ in wanted()), section.seed)
