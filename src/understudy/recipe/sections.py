"""The sections of a recipe, each with its keys, their types and their defaults."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PositiveInt

from understudy import registry
from understudy.data.entities.formats import Format, has_columns, holds_columns
from understudy.data.load import Columns, Layout, Repeats
from understudy.errors import UnderstudyError
from understudy.tasks.prompt import PromptSetting, reply_schema
from understudy.tasks.task import Task, labels_of, types_of
from understudy.teacher.cost.spending import Price
from understudy.teacher.endpoint.endpoint import Structure
from understudy.teacher.generation.self_check import Verdict

LOCAL, VLLM = "local:", "vllm:"
"""How the name of a model begins that runs in this process, by transformers or by vLLM."""


Phrase = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\r\n]*\S[^\r\n]*$")]
"""A few words on one line."""
Seeds = Annotated[int, Field(ge=1, le=1000)]
"""How many times a student is trained."""


class Section(BaseModel):
    """A part of a recipe: frozen, and without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _of_all_files(written: Any) -> Any:
    """What is written once, for gold, pool and test."""
    return dict.fromkeys(("gold", "pool", "test"), written) if isinstance(written, str) else written


class DataFiles(Section):
    """Where the texts are.

    Attributes:
        pool: Unlabelled texts for the teacher to annotate; none where it writes all texts itself.
        gold: Human-labelled texts to learn from; without them, only the mixture ``distilled`` can be trained.
        test: Human-labelled texts to be measured on, and nothing else.
        columns: What the columns of these files are called.
        format: What the files are, or some of them, where they do not tell by themselves.
        types: What the types of entities in the files are called in the task; null leaves those entities out.
        documents: Whether the sentences of a document in CoNLL columns are one text.
        repeats: Whether rows of gold whose text also stands in the test set, or has two targets, are refused, or left
            out.
        note: What a reader of the figures must know of these labels, such as who made them; shown beside them.
        validation: The share of gold that is held out of training.
        seed: Decides which.
    """

    test: Path
    pool: Path | None = None
    gold: Path | None = None
    columns: Columns = Columns()
    format: Annotated[dict[Literal["gold", "pool", "test"], Format], BeforeValidator(_of_all_files)] = {}
    types: dict[str, str | None] = {}
    documents: bool = False
    repeats: Repeats = "refuse"
    note: str | None = None
    validation: Annotated[float, Field(ge=0, lt=1)] = 0.2
    seed: int = 0

    @property
    def layout(self) -> Layout:
        """How the files are laid out."""
        formats = {str(source): name for source, name in self.format.items()}
        return Layout(columns=self.columns, format=formats, types=self.types, documents=self.documents)

    def inconsistencies(self, task: Task) -> list[str]:
        """Mistakes that lie between its keys and the task, one line each with its path."""
        if task.form != "spans":
            found = [f"data.format.{source}: {name} holds entities" for source, name in self._with_entities()]
            found += ["data.types: these are types of entities"] if self.types else []
            found += ["data.documents: CoNLL columns hold entities"] if self.documents else []
            return [f"{line}, and the task has none; expected a task of type ner, or no such key" for line in found]
        known = types_of(task)
        found = [
            f"data.types.{name}: {registry.unknown('type', type_, known)}; null leaves these entities out"
            for name, type_ in self.types.items()
            if type_ is not None and type_ not in known
        ]
        if self.documents and not self._with_documents():
            found.append("data.documents: no file is in CoNLL columns; expected one, or no such key")
        return found

    def _with_documents(self) -> bool:
        """Whether a file is in CoNLL columns."""
        untold = {"gold": self.gold, "pool": self.pool, "test": self.test}
        by_ending = [path for source, path in untold.items() if path is not None and source not in self.format]
        return "conll" in self.format.values() or any(map(holds_columns, by_ending))

    def _with_entities(self) -> list[tuple[str, Format]]:
        return [(source, name) for source, name in self.format.items() if not has_columns(name)]


class Recording(Section):
    """A pair of OpenAI Batch files: what was asked, and what was answered."""

    requests: Path
    replies: Path


def _several(written: Any) -> Any:
    """What is written once, or not at all, where several could stand."""
    return [written] if isinstance(written, dict) else written or ()


class BudgetSection(Section):
    """What a run may spend on its teacher, over all the times that it is taken up again.

    Attributes:
        usd: In USD.
        tokens: In tokens, read and written together.
        then: What happens when it is reached: ``stop`` the run, or ``train`` on what was answered by then.
    """

    usd: Annotated[float, Field(gt=0)] | None = None
    tokens: Annotated[int, Field(gt=0)] | None = None
    then: Literal["stop", "train"] = "stop"


class TeacherSection(Section):
    """Who teaches, and where it answers: from a recording, from an endpoint, or from both; or in this process.

    Attributes:
        model: The large model's name at its endpoint; ``local:PATH`` and ``vllm:NAME`` run one in this process.
        base_url: The address of an OpenAI-compatible API, up to ``/v1``.
        api_key_env: The environment variable that holds the key.
        replies: Recorded replies, used before anything is asked; one recording or several.
        compared: Whether it is asked about the test texts, too, to be the row to beat; False where it has answered only
            what is learned from, and can be asked no more.
        store: Where replies are kept; ``runs/replies.jsonl`` in the working directory by default.
        price: What it charges; looked up in a table by default.
        budget: What it may charge.
        tokenizer: What to count tokens with before asking: a folder, a hub name, or ``tiktoken:ENCODING``.
        structure: How replies are given their form; ``auto`` finds out what the endpoint takes.
        headers: Further headers of every request.
        headers_env: Headers that hold a secret, each with the environment variable that it is read from.
        max_tokens: How long a reply may become, in tokens.
        timeout: Seconds to wait for one reply.
        deadline: Seconds for one request with all its attempts and pauses.
        max_attempts: How often one request is tried.
        concurrency: How many requests may be under way at a time, at the most.
        requests_per_minute: A limit of the account's, if it has one.
        tokens_per_minute: Likewise, of tokens read and written.
        batch_size: How many requests a model in this process answers together.
    """

    model: str
    base_url: str | None = None
    api_key_env: str | None = None
    replies: Annotated[tuple[Recording, ...], BeforeValidator(_several)] = ()
    compared: bool = True
    store: Path | None = None
    price: Price | None = None
    budget: BudgetSection = BudgetSection()
    tokenizer: str | None = None
    structure: Structure = "auto"
    headers: dict[str, str] = {}
    headers_env: dict[str, str] = {}
    max_tokens: PositiveInt = 2048
    timeout: Annotated[float, Field(gt=0)] = 60.0
    deadline: Annotated[float, Field(gt=0)] = 600.0
    max_attempts: PositiveInt = 6
    concurrency: Annotated[int, Field(gt=0, le=1000)] = 16
    requests_per_minute: Annotated[float, Field(gt=0)] | None = None
    tokens_per_minute: Annotated[float, Field(gt=0)] | None = None
    batch_size: Annotated[int, Field(gt=0, le=1000)] = 8

    @property
    def in_process(self) -> bool:
        """Whether the model runs in this process."""
        return self.model.startswith((LOCAL, VLLM))


class ShotsSection(Section):
    """Gold examples that the teacher is shown with every text.

    Attributes:
        count: How many.
        choose: The same ones for every text (``fixed``), or those ``nearest`` to it by their embeddings.
        seed: Decides which, where they are fixed.
    """

    count: Annotated[int, Field(ge=1, le=100)] = 5
    choose: Literal["fixed", "nearest"] = "fixed"
    seed: int = 0


class Annotation(Section):
    """How the teacher is asked about a text.

    Attributes:
        examples: Gold examples that it is shown.
        votes: How often it is asked; the answer that most votes agree on counts.
        temperature: The sampling temperature; by default the endpoint's own, and 0.7 for votes.
        soft: Where soft labels come from: the shares of the votes, the log-probabilities, or nowhere.
    """

    examples: ShotsSection | None = None
    votes: Annotated[int, Field(ge=1, le=100)] = 1
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    soft: Literal["votes", "logprobs"] | None = None


class LearningCurve(Section):
    """A student trained on growing shares of the teacher's labels, to say what more of them would bring.

    Attributes:
        student: Which of the recipe's students; a cheap one will do.
        points: How many sizes, each half of the next.
    """

    student: str
    points: Annotated[int, Field(ge=2, le=12)] = 5


class StudentSpec(Section):
    """One student of the recipe.

    Attributes:
        name: What it goes by in this run.
        student: Its name in the registry.
        settings: Its constructor's arguments, as far as they are given.
        seeds: How many times it is trained.
    """

    name: str
    student: str
    settings: dict[str, Any]
    seeds: int


class TaskSpec(Section):
    """The task by its registry name and its constructor's arguments."""

    name: str
    settings: dict[str, Any]

    def build(self) -> Task:
        """The task itself."""
        task: Task = registry.build("task", self.name, self.settings)
        return task

    def fingerprint(self) -> dict[str, Any]:
        """What decides the task: all its settings, defaults among them."""
        return {"name": self.name, "settings": registry.settings(self.build())}


class Generation(Section):
    """Texts that the teacher writes for targets, beside those of the team.

    Attributes:
        from_: What they are written from: ``targets`` (every label alike; of other tasks the targets of gold), or
            ``attributes`` of such texts and a value for each, where there is nothing else to go by.
        count: How many texts, rounded up to whole requests; by default as many as there are targets.
        targets: A file of targets to write texts for, named by ``data.columns``.
        description: What the texts are like, as one would tell a writer.
        attributes: What the texts shall differ in, each with its values, or without any where the teacher is to propose
            them. Where nothing is given, texts from ``attributes`` are spread over what the teacher proposes.
        texts_per_request: How many texts the teacher writes in one reply.
        self_check: What becomes of a text that the teacher itself would answer otherwise; by default nobody asks.
        prompt: A prompt other than the task's own.
        temperature: The sampling temperature; by default the endpoint's own, and 1 where a question is put again.
        seed: Decides how labels and values of attributes are combined.
    """

    from_: Annotated[Literal["targets", "attributes"], Field(alias="from")]
    count: PositiveInt | None = None
    targets: Path | None = None
    description: str = ""
    attributes: dict[Phrase, Annotated[list[Phrase], Field(min_length=1)] | None] | None = None
    texts_per_request: Annotated[int, Field(ge=1, le=50)] = 1
    self_check: Verdict | None = None
    prompt: PromptSetting | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    seed: int = 0

    @property
    def requests(self) -> int | None:
        """How many requests make so many texts; None where that depends on the targets."""
        return None if self.count is None else -(-self.count // self.texts_per_request)

    def inconsistencies(self, task: Task, gold: Path | None) -> list[str]:
        """Mistakes that lie between its keys, the task and the data, one line each with its path."""
        found = self._unsaid(task, gold)
        if self.from_ == "attributes" and self.targets is not None:
            found.append("generate.targets: not read where texts come from attributes; expected from: targets")
        if self.self_check == "drop" and not task.exact:
            found.append(
                "generate.self_check: two answers in free text are never the same, so that all would be dropped; "
                "expected correct"
            )
        try:
            reply_schema(self.prompt or task.generation_prompt, "text", {})
        except UnderstudyError as error:
            found.append(f"generate.prompt: {error}")
        return found

    def _unsaid(self, task: Task, gold: Path | None) -> list[str]:
        """What is missing for this task."""
        found, labels = [], labels_of(task)
        endless = self.from_ == "attributes" or (labels and self.targets is None)
        if endless and self.count is None:
            found.append("generate.count: missing; expected how many texts")
        if self.from_ == "targets" and not labels and self.targets is None and gold is None:
            found.append("generate.targets: missing, and without data.gold there are no others; expected a file")
        if self.from_ == "attributes" and not labels and not self.description.strip():
            found.append("generate.description: missing; expected what the texts are like, since no labels tell")
        if self.from_ == "attributes" and not labels and self.attributes == {}:
            found.append(
                "generate.attributes: none, and no labels; expected some, or no such key to have them proposed"
            )
        return found
