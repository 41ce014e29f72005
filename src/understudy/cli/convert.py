"""The command that turns files of entities from one format into another."""

from pathlib import Path
from typing import Annotated

import typer

from understudy.cli.app import app
from understudy.data.entities.formats import Format
from understudy.data.entities.tags import Scheme
from understudy.errors import DataError


@app.command(
    epilog="Examples: understudy convert train.conll train.jsonl --types PER=person,MISC= · "
    "understudy convert answers.jsonl to-correct.json · understudy convert project.json gold.conll --scheme bioes"
)
def convert(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A file of texts with entities.")],
    to: Annotated[Path, typer.Argument(metavar="OUT", help="Where to write them; .json is a Label Studio import.")],
    read_as: Annotated[Format | None, typer.Option("--from", help="What IN is, where it does not tell.")] = None,
    write_as: Annotated[Format | None, typer.Option("--to", help="What OUT is, where it does not tell.")] = None,
    types: Annotated[
        str, typer.Option("--types", metavar="OLD=NEW,...", help="Rename types; those without a NEW are left out.")
    ] = "",
    text: Annotated[str, typer.Option("--text", help="The column of texts in a JSONL file.")] = "text",
    target: Annotated[str, typer.Option("--target", help="The column of entities in a JSONL file.")] = "target",
    documents: Annotated[
        bool, typer.Option("--documents", help="Join the sentences of each -DOCSTART- document of CoNLL columns.")
    ] = False,
    scheme: Annotated[Scheme, typer.Option("--scheme", help="How tags in CoNLL columns are written.")] = "bio2",
) -> None:
    """Convert texts with entities between JSONL, CoNLL columns, spaCy's JSON and Label Studio's."""
    from understudy import console
    from understudy.data.entities.convert import Conversion
    from understudy.data.entities.convert import convert as convert_file

    how = Conversion(
        read_as=read_as,
        write_as=write_as,
        types=dict(map(_renaming, filter(None, types.split(",")))),
        text=text,
        target=target,
        documents=documents,
        scheme=scheme,
    )
    done = convert_file(source, to, how)
    console.show_conversion(to, done)


def _renaming(written: str) -> tuple[str, str | None]:
    """A type's old and new name; none where it is to be left out."""
    old, sign, new = map(str.strip, written.partition("="))
    if not old or not sign:
        raise DataError(f"--types: found {written!r}; expected OLD=NEW, or OLD= to leave these entities out")
    return old, new or None
