"""Check a finished run from its outputs, without training or writing anything: `lottery verify`."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain, zip_longest
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import torch
from typer import Option

from lottery.errors import UserError
from lottery.grid import GridParameters
from lottery.params import section
from lottery.report import html
from lottery.runtime.compute import arithmetic
from lottery.runtime.parameters import ComputeParameters
from lottery.tickets import pruning
from lottery.tickets.pruner import SearchSettings
from lottery.verification import counts, hashes, recompute
from lottery.verification.run import CellOutputs, Findings, FinishedRun
from stages.shell import cli, eta

SHOWN = 5


def main(
    # Defaults name the outputs of dvc.yaml, so that nobody has to type them.
    data: Annotated[Path, Option(help="Encoded examples, <task>/.")] = Path("data"),
    models: Annotated[Path, Option(help="Fine-tuned encoders, <task>/<seed>/.")] = Path("models"),
    subnetworks: Annotated[Path, Option(help="Tickets, <task>/<seed>/.")] = Path("subnetworks"),
    scores: Annotated[Path, Option(help="Score tables, <task>/<seed>/.")] = Path("scores"),
    attention: Annotated[Path, Option(help="Attention profiles, <task>/.")] = Path("attention"),
    authors: Annotated[Path, Option("--published", help="Authors' results.")] = Path("published"),
    reports: Annotated[Path, Option(help="Report, tables and figures.")] = Path("reports"),
    lock: Annotated[Path, Option(help="DVC's record of the run.")] = Path("dvc.lock"),
    tolerance: Annotated[float, Option(min=0, help="Allowed difference of a score.")] = 0,
) -> None:
    """Check a finished run from its outputs, without training or writing anything."""
    run = FinishedRun(*_parameters(), data, models, subnetworks, scores)
    torch.set_num_threads(run.compute.threads)
    gathered = (scores, subnetworks, attention, data / "patterns", authors)
    with arithmetic(run.compute):
        wrong = _judged(
            {
                "every output is the one that was recorded": lambda: hashes.outputs(
                    lock, eta.cells(eta.PIPELINE, cli.parameters())
                ),
                "no score is missing or doubled": _each(run, counts.rows),
                "sizes and overlaps are exact": _each(run, counts.sizes),
                "searches keep to rate and threshold": _each(run, counts.steps),
                "controls are what their seeds draw": _each(run, recompute.draws),
                "searches end as recorded": _each(
                    run, partial(recompute.searches, tolerance=tolerance)
                ),
                "pruned scores come out again": _each(
                    run, partial(recompute.pruned_scores, tolerance=tolerance)
                ),
                "tables, figures and report come out again": lambda: rebuilt(
                    gathered, (data / "meta", attention, html.TEMPLATE), reports
                ),
            }
        )
    if wrong:
        raise UserError(f"{wrong} checks failed, see above; `dvc repro` makes the run again")


def _parameters() -> tuple[GridParameters, SearchSettings, ComputeParameters]:
    tree = cli.parameters()
    settings = pruning.read_settings(tree)
    return section(GridParameters, tree), settings, section(ComputeParameters, tree)


def _each(run: FinishedRun, check: Callable[[CellOutputs], Findings]) -> Callable[[], Findings]:
    """A check of every cell, one after the other."""
    return lambda: chain.from_iterable(_readable(partial(check, cell)) for cell in run.cells)


def _readable(looks: Callable[[], Findings]) -> Findings:
    """What cannot be read is one thing that is wrong."""
    try:
        yield from looks()
    except UserError as fault:
        yield str(fault)


def _judged(checks: Mapping[str, Callable[[], Findings]]) -> int:
    """One line a check and, below it, the first things that are wrong; how many are."""
    total = 0
    for name, looks in checks.items():
        found = list(_readable(looks))
        wrong = [each for each in found if each is not None]
        said = (
            f"{len(wrong)} of {len(found)} wrong" if wrong else f"{len(found)} looked at, all right"
        )
        cli.console.print(f"{name}: {said}", markup=False)
        for each in wrong[:SHOWN]:
            cli.console.print(f"  {each}", markup=False)
        if len(wrong) > SHOWN:
            cli.console.print(f"  and {len(wrong) - SHOWN} more")
        total += len(wrong)
    return total


def rebuilt(sources: Sequence[Path], inputs: Sequence[Path], reports: Path) -> Findings:
    """Whether `analyse` on `sources` and `report` on its tables and `inputs`, rerun elsewhere, write the same bytes.

    The report is rebuilt with the recorded provenance, which tells of the machine and of the time.
    """
    with TemporaryDirectory() as scratch:
        again = Path(scratch) / "reports"
        for file in (cli.PARAMETERS, eta.PIPELINE):
            shutil.copy(file, scratch)
        tables, origin = again / "tables", Path("provenance.json")
        files = ("report.md", "figures", "report.html", origin)
        _stage(scratch, "analyse", *sources, tables, again / "metrics.json")
        outputs = (again / file for file in files)
        _stage(scratch, "report", tables, *inputs, *outputs, "--recorded", reports / origin)
        written = {file.relative_to(again) for file in again.rglob("*") if file.is_file()}
        known = {
            file.relative_to(reports)
            for folder in ("tables", "figures")
            for file in (reports / folder).glob("*")
        }
        for file in sorted(written | known):
            yield _difference(reports / file, again / file)


def _difference(known: Path, again: Path) -> str | None:
    """What is wrong with a file, next to the one that was rebuilt."""
    if not again.is_file():
        return f"{known}: no file of this run"
    if not known.is_file():
        return f"{known}: missing"
    if known.read_bytes() == again.read_bytes():
        return None
    if known.suffix == ".png":
        return f"{known}: not what the scores lead to"
    lines = zip_longest(known.read_bytes().splitlines(), again.read_bytes().splitlines())
    first = next((at for at, (old, new) in enumerate(lines, start=1) if old != new), 0)
    return f"{known}: line {first} is not what the scores lead to"


def _stage(scratch: str, name: str, *arguments: Path | str) -> None:
    """Run a stage with `scratch` as the project. Raises UserError if it fails."""
    words = [str(each.absolute()) if isinstance(each, Path) else each for each in arguments]
    done = subprocess.run(
        [sys.executable, "-m", f"stages.{name}", *words],
        cwd=scratch,
        env=os.environ | {"PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise UserError(f"{name}, run again, fails: {done.stderr.strip().splitlines()[-1:]}")
