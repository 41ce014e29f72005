"""What is studied: one YAML file that spans a grid over a recipe, and says what shall be found out."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, PositiveInt

from understudy import registry
from understudy.data.files import located
from understudy.errors import RecipeError
from understudy.mistakes import validated
from understudy.recipe import Recipe
from understudy.recipe.checks import NAME
from understudy.recipe.document import read_document
from understudy.recipe.sections import Section, Seeds

Size = PositiveInt | Literal["all"]
"""How many examples of a source are learned from."""
TEACHER = "teacher"
_GOLD = "gold"


def _several(written: Any) -> Any:
    """What is written once where several could stand."""
    return [written] if isinstance(written, str | int) else written


def _by_name(written: Any) -> Any:
    """Students that are only named are those of the recipe."""
    return dict.fromkeys(written) if isinstance(written, list) else written


Sizes = Annotated[tuple[Size, ...], Field(min_length=1), BeforeValidator(_several)]


class Claim(Section):
    """Something that is said of mixtures, to be supported or contradicted.

    Attributes:
        claim: What is said, and by whom.
        better: The mixture that is said to do better.
        than: Those that it is said to beat; ``teacher`` is the large model itself.
        gold: On how many gold examples; all of them by default.
        distilled: On how many distilled ones.
    """

    claim: Annotated[str, Field(min_length=1, max_length=300)]
    better: str
    than: Annotated[list[str], Field(min_length=1), BeforeValidator(_several)]
    gold: Size = "all"
    distilled: Size = "all"


class _Written(Section):
    """The study as it is written, before its recipe is read."""

    name: Annotated[str, Field(pattern=f"^{NAME}$")]
    recipe: Path
    students: Annotated[dict[str, dict[str, Any] | None] | None, BeforeValidator(_by_name)] = None
    mixtures: Annotated[list[str], Field(min_length=1)]
    seeds: Seeds = 3
    gold: Sizes = ("all",)
    distilled: Sizes = ("all",)
    crossed: bool = False
    steps: Literal["matched", "own"] = "matched"
    claims: tuple[Claim, ...] = ()
    note: str | None = None


class Study(Section):
    """A grid over a recipe.

    Attributes:
        name: The study's name, and its folder's.
        recipe: Data, teacher and task; its students, mixtures and seeds are the study's.
        gold: On how many gold examples every mixture is trained, besides all.
        distilled: On how many distilled ones.
        crossed: Whether every size of one source meets every size of the other; otherwise it meets all of the other.
        steps: Whether learning from few takes as many steps as learning from all (``matched``), or its own epochs'.
        claims: What shall be supported or contradicted.
        note: What a reader of the findings must know.
        source: The file that it was read from.
    """

    name: str
    recipe: Recipe
    gold: tuple[Size, ...]
    distilled: tuple[Size, ...]
    crossed: bool
    steps: Literal["matched", "own"]
    claims: tuple[Claim, ...]
    note: str | None
    source: Path

    @classmethod
    def load(cls, path: Path | str) -> Self:
        """Read a study and its recipe, whose path is taken from the folder that the study lies in.

        Raises:
            RecipeError: One of them cannot be read, or holds mistakes; all of a file's are listed, each with its path.
        """
        path = Path(path)
        problems: list[str] = []
        shape = validated(_Written, read_document(path), "", problems)
        if shape is not None:
            problems += _unknown_in(shape.claims, shape.mixtures)
        if problems or shape is None:
            raise RecipeError(str(path), problems)
        recipe = _recipe_of(shape, path)
        if not recipe.teacher.compared and any(TEACHER in claim.than for claim in shape.claims):
            raise RecipeError(str(path), ["claims: the recipe's teacher is not compared; expected mixtures alone"])
        return cls(
            name=shape.name,
            recipe=recipe,
            gold=tuple(dict.fromkeys(shape.gold)),
            distilled=tuple(dict.fromkeys(shape.distilled)),
            crossed=shape.crossed,
            steps=shape.steps,
            claims=shape.claims,
            note=shape.note,
            source=path.resolve(),
        )


def _recipe_of(shape: _Written, study: Path) -> Recipe:
    """The study's recipe, with the study's students, mixtures and seeds; mistakes in these are the study's."""
    path = located(shape.recipe, study.resolve().parent)
    Recipe.load(path)
    own: dict[str, Any] = read_document(path).get("students") or {}
    students: Mapping[str, Any] = own if shape.students is None else shape.students
    changed = {
        "name": shape.name,
        "students": {name: own.get(name) if given is None else given for name, given in students.items()},
        "mixtures": shape.mixtures,
        "seeds": shape.seeds,
        "learning_curve": None,
    }
    try:
        return Recipe.load(path, changed)
    except RecipeError as error:
        raise RecipeError(str(study), error.problems) from None


def _unknown_in(claims: Sequence[Claim], mixtures: list[str]) -> list[str]:
    """Mixtures that a claim speaks of and the study does not have."""
    known = list(dict.fromkeys([_GOLD, *mixtures]))
    named = [
        *((f"claims.{place}.better", claim.better, known) for place, claim in enumerate(claims)),
        *(
            (f"claims.{place}.than", name, [*known, TEACHER])
            for place, claim in enumerate(claims)
            for name in claim.than
        ),
    ]
    return [
        f"{where}: {registry.unknown('mixture of this study', name, among)}"
        for where, name, among in named
        if name not in among
    ]
