"""The t5 student: every task is text to text, told apart by what stands before the text."""

from typing import ClassVar, Literal

from understudy.students.pretrained import Kind
from understudy.students.ranges import Count, ModelName, Positive, PositiveInt
from understudy.students.sequences.settings import Length, Search, Sizes, Weight
from understudy.students.sequences.student import SequenceStudent
from understudy.tasks.task import Form, Task

_PREFIXES: dict[Form, str] = {"label": "classify: ", "spans": "tag: ", "text": "summarize: "}


class T5(SequenceStudent):
    """An encoder-decoder of the T5 family (Raffel et al. 2020), fine-tuned to write labels, entities or texts.

    A setting of None is what suits the task and the start.

    Args:
        model: A name on the hub, a local folder in the hub's layout, ``bundled`` (an encoder-decoder that sets out from
            all-MiniLM-L6-v2: Rothe et al. 2020; the same for bart), or ``scratch`` (from nothing).
        scratch: The sizes of a start from scratch, and of no other.
        prefix: What stands before every text (``classify:``, ``tag:``, ``summarize:``, or a task's instruction).
        max_source: Tokens read of a text, prefix and marks among them (256 for labels and sentences, 512 for texts).
        max_target: The most tokens in an answer.
        search: How an answer is looked for: ``beams`` (1), ``length_penalty`` (1.0), ``no_repeat_ngram`` (0).
        rationale_weight: How much the teacher's reasoning, where it gave any, counts beside its answer (distilling
            step by step, Hsieh et al. 2023); entities are learned without.
        epochs: Passes over all gold and distilled examples, whatever the mixture draws of them (20 from scratch, 4 from
            the bundled encoder, 3 from the hub).
        batch_size: Examples in an optimiser step.
        accumulate: In how many parts a step is computed, for want of memory.
        learning_rate: The highest learning rate of AdamW (1e-3, 2e-4 and 3e-4, likewise).
        patience: Stop after so many looks at validation without a better score; None, never, keeps arms comparable.
        seed: Decides the first weights, the order of the examples, and dropout.
    """

    family: ClassVar[Literal["t5", "bart"]] = "t5"
    kind: ClassVar[Kind] = Kind(
        purpose="the t5 student",
        noun="a T5 model",
        auto="AutoModelForSeq2SeqLM",
        offline="bundled (or scratch)",
        families=frozenset({"t5", "mt5", "umt5"}),
    )
    hub_learning_rate: ClassVar[float] = 3e-4

    def __init__(  # noqa: PLR0913 - settings, each by its name
        self,
        *,
        model: ModelName = "t5-small",
        scratch: Sizes | None = None,
        prefix: str | None = None,
        max_source: Length | None = None,
        max_target: Length = 128,
        search: Search | None = None,
        rationale_weight: Weight = 0.0,
        epochs: Positive | None = None,
        batch_size: PositiveInt = 16,
        accumulate: PositiveInt = 1,
        learning_rate: Positive | None = None,
        patience: PositiveInt | None = None,
        seed: Count = 0,
    ) -> None:
        self.model = model
        self.scratch = scratch
        self.prefix = prefix
        self.max_source = max_source
        self.max_target = max_target
        self.search = search
        self.rationale_weight = rationale_weight
        self.epochs = epochs
        self.batch_size = batch_size
        self.accumulate = accumulate
        self.learning_rate = learning_rate
        self.patience = patience
        self.seed = seed

    def _prefix(self, task: Task) -> str:
        if self.prefix is not None:
            return self.prefix
        instruction = getattr(task, "instruction", None)
        return _PREFIXES[task.form] if instruction is None else f"{instruction}: "
