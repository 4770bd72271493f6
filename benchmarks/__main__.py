"""`python -m benchmarks`: time this project against other implementations; a rerun resumes."""

import hashlib
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Annotated

import msgspec
from rich.console import Console
from rich.table import Table
from typer import Option

from benchmarks import files, hardware, memory, page, rounds, suite
from benchmarks.encoders import Encoders
from benchmarks.files import BUILD
from benchmarks.hardware import Hardware
from benchmarks.memory import MARKS, MemoryRow
from benchmarks.rows import Row, rows
from benchmarks.shares import shares
from benchmarks.suite import Benchmark
from cluster.git import require
from lottery.errors import UserError
from stages.shell import cli

PREPARE = "prepare@sst2"
PEERS = Path("build/peers/bin/python")
WORKS = (*suite.WORKS, memory.WORK, hardware.WORK)
UNTIMED = {
    "__main__", "cells", "error_rates", "hardware", "memory", "page", "stages", "targets", "worlds",
}  # fmt: skip
"""Modules of this package on which no timing depends."""
console = Console(highlight=False)


Work = Annotated[
    list[str] | None,
    Option(help="Only this work; may be repeated. By default all but memory, which takes long."),
]
Steps = Annotated[
    int,
    Option(min=MARKS[1], max=MARKS[-1], help="Steps of the work memory; 1,000 take base an hour."),
]
Out = Annotated[
    Path | None,
    Option(help="Folder of results; else reports/benchmarks, with --quick build/benchmarks/quick."),
]


def main(
    work: Work = None,
    encoder: Annotated[list[str] | None, Option(help="Only minilm or base; else both.")] = None,
    count: Annotated[int, Option("--rounds", min=1, help="Runs of every implementation.")] = 5,
    quick: Annotated[bool, Option(help="A toy encoder and random sentences: seconds.")] = False,
    steps: Steps = MARKS[-1],
    again: Annotated[bool, Option(help="Repeat what this code has timed already.")] = False,
    out: Out = None,
) -> None:
    """Time this project against other implementations and write the results."""
    names = work or [name for name in WORKS if name != memory.WORK]
    _check_choices("work", names, WORKS)
    _check_choices("encoder", encoder or (), memory.SIZES)
    target, sizes = files.target(out, quick), ["toy"] if quick else encoder or memory.SIZES
    sentences = Path() if quick or {*names} == {memory.WORK} else _sentences()
    encoders = Encoders(Path("data/assets/encoder"), sentences, BUILD)
    BUILD.mkdir(parents=True, exist_ok=True)
    old, fresh = _old(target / "latest.json"), list[Row]()
    for benchmark in _chosen(names, encoders, sizes, quick):
        fresh += timed(benchmark, count, again)
    files.save(table := merged(old, fresh), target / "latest.json")
    if hardware.WORK in names:
        files.save(hardware.measured(encoders, sizes, quick), target / "hardware.json")
    lasts = memory.measured(encoders, sizes, steps) if memory.WORK in names else ()
    lasting = _lasting(target / "memory.json", lasts)
    files.write(
        page.text(table, lasting, _peaks(target / "hardware.json")), target / "benchmarks.md"
    )
    show(fresh)
    console.print(f"results: {target}/latest.json and {target}/benchmarks.md")


def _chosen(
    names: Collection[str], encoders: Encoders, sizes: Collection[str], quick: bool
) -> Iterator[Benchmark]:
    """The benchmarks of these works with encoders of these sizes."""
    for name in filter(suite.WORKS.__contains__, names):
        yield from (
            benchmark
            for benchmark in suite.benchmarks(name, encoders, quick)
            if benchmark.encoder in sizes
        )


def _check_choices(option: str, names: Iterable[str], choices: Collection[str]) -> None:
    for name in names:
        if name not in choices:
            raise UserError(f"no {option} {name!r}; choose from {', '.join(choices)}")


def _sentences() -> Path:
    """The training sentences of SST-2 of any seed, prepared by the pipeline."""
    require(Path.cwd())
    command = [sys.executable, "-m", "dvc", "repro", "--quiet", PREPARE]
    if subprocess.run(command, check=False).returncode:
        raise UserError(f"dvc repro {PREPARE} failed, see above")
    return min(Path("data/sst2").glob("*/train.safetensors"))


def _lasting(path: Path, fresh: Iterable[MemoryRow]) -> list[MemoryRow]:
    """Memory of long runs: the rows of a file, replaced or extended by the fresh ones as they are measured."""
    old = msgspec.json.decode(path.read_bytes(), type=list[MemoryRow]) if path.is_file() else []
    table = {(row.encoder, row.work, row.precision): row for row in old}
    for row in fresh:
        table[row.encoder, row.work, row.precision] = row
        files.save([*table.values()], path)
        console.print(f"memory: {', '.join(page.memory_cells(row))}")
    return list(table.values())


def _peaks(path: Path) -> Hardware | None:
    return msgspec.json.decode(path.read_bytes(), type=Hardware) if path.is_file() else None


def timed(benchmark: Benchmark, count: int, again: bool) -> list[Row]:
    """Rows of a benchmark, from a file if this code has timed it with the same input and number of rounds."""
    path = BUILD / f"{benchmark.name}-{count}-{_identity(benchmark)}.json"
    if path.is_file() and not again:
        return msgspec.json.decode(path.read_bytes(), type=list[Row])
    with console.status(benchmark.name) as status:
        results = rounds.run(benchmark, count, PEERS, BUILD / benchmark.name, status.update)
    table = list(rows(benchmark, results, shares(benchmark)))
    files.save(table, path)
    ratios = ", ".join(f"{row.baseline} {row.ratio_median:.1f}" for row in table)
    console.print(f"{benchmark.name}: {ratios}")
    return table


def _old(path: Path) -> list[Row]:
    """The rows of a file. Raises UserError if another version wrote it."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Row]) if path.is_file() else []
    except msgspec.ValidationError as error:
        raise UserError(f"{path}: not rows of this version ({error}); delete it") from None


def merged(old: list[Row], fresh: list[Row]) -> list[Row]:
    """The old rows, replaced or extended by the fresh ones."""
    table = {(row.work, row.baseline, row.encoder, row.at): row for row in (*old, *fresh)}
    return list(table.values())


def show(table: list[Row]) -> None:
    """Print rows on the terminal."""
    shown = Table("work", "baseline", "encoder", "ratio", "range", "MiB", "difference")
    for row in table:
        shown.add_row(*page.cells(row))
    console.print(shown)


def _identity(benchmark: Benchmark) -> str:
    """Digest of a benchmark, its encoder and sentences, and the code."""
    digest = hashlib.sha256(repr(benchmark).encode())
    load = benchmark.load
    for file in (load.sentences, load.folder / "model.safetensors", *_code()):
        with file.open("rb") as content:
            digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()[:16]


def _code() -> Iterator[Path]:
    """Files that the timings can depend on."""
    root = Path(__file__).parent
    yield from sorted((root.parent / "lottery").rglob("*.py"))
    yield from (path for path in sorted(root.glob("*.py")) if path.stem not in UNTIMED)


if __name__ == "__main__":
    cli.run(main)
