"""`python -m benchmarks`: race the project against plain ways and peers; go on where it was stopped."""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.table import Table
from typer import Option

from benchmarks import page
from benchmarks.contests import WORKS, Contest, contests
from benchmarks.encoders import Paddock
from benchmarks.rows import Row, rows
from benchmarks.shares import shares
from benchmarks.turns import race
from lottery.errors import UserError

README = Path("README.md")
BUILD = Path("build/benchmarks")
PEERS = Path("build/peers/bin/python")
console = Console(highlight=False)


def main(
    work: Annotated[list[str] | None, Option(help="only these works; else all")] = None,
    encoder: Annotated[list[str] | None, Option(help="only minilm, or base; else both")] = None,
    rounds: Annotated[int, Option(min=1, help="turns of everybody")] = 5,
    quick: Annotated[bool, Option(help="a toy encoder and random sentences: seconds")] = False,
    again: Annotated[bool, Option(help="race again what this code has raced already")] = False,
    out: Annotated[Path, Option(help="where latest.json and benchmarks.md go")] = Path(
        "reports/benchmarks"
    ),
) -> None:
    """Race the project against its baselines and write what came out."""
    for name in work or []:
        if name not in WORKS:
            raise UserError(f"no work {name!r}; choose from {', '.join(WORKS)}")
    target = BUILD / "quick" if quick else out
    paddock = Paddock(Path("data/assets/encoder"), Path("data/sst2/train.safetensors"), BUILD)
    BUILD.mkdir(parents=True, exist_ok=True)
    target.mkdir(parents=True, exist_ok=True)
    fresh = list[Row]()
    for name in work or WORKS:
        for contest in contests(name, paddock, quick):
            if not encoder or contest.encoder in encoder:
                fresh += raced(contest, rounds, again)
    table = merged(target / "latest.json", fresh)
    (target / "latest.json").write_bytes(msgspec.json.format(msgspec.json.encode(table)) + b"\n")
    (target / "benchmarks.md").write_text(page.text(table), encoding="utf-8")
    if not quick:
        README.write_text(page.placed(README.read_text("utf-8"), table), encoding="utf-8")
    show(fresh)
    console.print(f"{target}/latest.json and {target}/benchmarks.md are written")


def raced(contest: Contest, rounds: int, again: bool) -> list[Row]:
    """The rows of a contest, from a file where this code, load and number of rounds made one."""
    path = BUILD / f"{contest.name}-{rounds}-{_identity(contest)}.json"
    if path.is_file() and not again:
        return msgspec.json.decode(path.read_bytes(), type=list[Row])
    with console.status(contest.name) as status:
        found = race(contest, rounds, PEERS, BUILD / contest.name, status.update)
    made = list(rows(contest, found, shares(contest)))
    path.write_bytes(msgspec.json.encode(made))
    console.print(
        f"{contest.name}: {', '.join(f'{r.baseline} {r.ratio_median:.1f}' for r in made)}"
    )
    return made


def merged(path: Path, fresh: list[Row]) -> list[Row]:
    """What was there, with the fresh rows in the place of the old ones."""
    old = msgspec.json.decode(path.read_bytes(), type=list[Row]) if path.is_file() else []
    table = {(r.work, r.baseline, r.encoder, r.at): r for r in (*old, *fresh)}
    return list(table.values())


def show(table: list[Row]) -> None:
    """The rows on the terminal."""
    shown = Table("work", "against", "encoder", "times", "range", "MiB", "difference")
    for row in table:
        shown.add_row(*page.cells(row))
    console.print(shown)


def _identity(contest: Contest) -> str:
    sha = hashlib.sha256(repr(contest).encode())
    for file in _code():
        sha.update(file.read_bytes())
    return sha.hexdigest()[:16]


def _code() -> Iterator[Path]:
    """What a ratio depends on: the code that is raced, not what shows it."""
    root = Path(__file__).parent
    yield from sorted((root.parent / "lottery").rglob("*.py"))
    yield from (path for path in sorted(root.glob("*.py")) if path.stem not in {"page", "__main__"})


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    try:
        app(prog_name="python -m benchmarks")
    except UserError as fault:
        sys.exit(f"error: {fault}")
