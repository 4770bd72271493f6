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
from lottery.model.parameters import FinetuneParameters
from lottery.params import section
from lottery.report import html
from lottery.runtime.compute import arithmetic
from lottery.tickets.connectivity import ConnectivityParameters
from lottery.tickets.parameters import MagnitudeParameters, RewindParameters
from lottery.tickets.transfer import TransferParameters
from lottery.verification import counts, hashes, recompute, scored
from lottery.verification.connectivity import connected
from lottery.verification.rewinding import rewound
from lottery.verification.run import CellOutputs, Findings, FinishedRun
from lottery.verification.transfer import transferred
from lottery.wording import counted
from stages.shell import cli, eta, imports
from tools import folders
from tools.finished import finished_run

Check = Callable[[], Findings]
SHOWN = 5
"""Findings of a check that are printed; the rest is counted."""


def main(
    data: folders.Data = Path("data"),
    encoder: folders.Encoder = Path("data/assets/encoder"),
    models: folders.Models = Path("models"),
    subnetworks: folders.Subnetworks = Path("subnetworks"),
    scores: folders.Scores = Path("scores"),
    predictions: folders.Predictions = Path("predictions"),
    kept: folders.Kept = Path("tickets"),
    attention: Annotated[Path, Option(help="Attention profiles, <task>/.")] = Path("attention"),
    authors: Annotated[Path, Option("--published", help="Authors' results.")] = Path("published"),
    reports: Annotated[Path, Option(help="Report, tables and figures.")] = Path("reports"),
    lock: Annotated[Path, Option(help="DVC's record of the run.")] = Path("dvc.lock"),
    masks: Annotated[Path, Option(help="Masks of iterative pruning, if any.")] = Path("rewound"),
    tolerance: Annotated[float, Option(min=0, help="Allowed difference of a score.")] = 0,
) -> None:
    """Check a finished run from its outputs, without training or writing anything."""
    if not any(folder.is_dir() for folder in (data, models, subnetworks, scores, predictions)):
        raise UserError(
            "no finished run here: none of its folders is there; run `make repro` first"
        )
    run = finished_run(data, encoder, models, subnetworks, kept, scores, predictions)
    torch.set_num_threads(run.compute.threads)
    sources = (scores, predictions, subnetworks, attention, data / "patterns", authors)
    checks = _checks(run, lock, tolerance) | {
        "tables, figures and report come out again": lambda: rebuilt(
            sources, (data / "meta", attention, html.TEMPLATE), reports
        )
    }
    checks |= _checks_beyond_the_paper(run, masks, tolerance)
    with arithmetic(run.compute):
        failures = run_checks(checks)
    if failures:
        raise UserError(
            f"{counted(failures, 'item')} failed, see above; `dvc repro` makes the run again"
        )


def _checks(run: FinishedRun, lock: Path, tolerance: float) -> dict[str, Check]:
    """The checks of all files but the report's, by what holds if nothing is found."""
    parameters = cli.parameters()
    searches = partial(recompute.searches, tolerance=tolerance)
    pruned_scores = partial(recompute.pruned_scores, tolerance=tolerance)
    kept_scores = partial(recompute.kept_scores, tolerance=tolerance)
    return {
        "every output is the one that was recorded": lambda: hashes.outputs(
            lock, eta.jobs(eta.PIPELINE, parameters), parameters
        ),
        "no prediction is missing or doubled": _for_each_cell(run, scored.predictions),
        **checks_of_records(run),
        "searches keep to rate and threshold": _for_each_cell(run, counts.steps),
        "controls are what their seeds draw": _for_each_cell(run, recompute.draws),
        "searches end as recorded": _for_each_cell(run, searches),
        "pruned scores come out again, of stored tickets and one draw of each kind": _for_each_cell(
            run, pruned_scores
        ),
        "retrained scores come out again, of the tickets that are kept": _for_each_cell(
            run, kept_scores
        ),
    }


def _checks_beyond_the_paper(run: FinishedRun, masks: Path, tolerance: float) -> dict[str, Check]:
    """The checks of rewinding, transfer and connectivity, in runs that have them."""
    tree, checks = cli.parameters(), dict[str, Check]()
    rewind, transfer = section(RewindParameters, tree), section(TransferParameters, tree)
    if rewind.cells(run.grid):
        biases = section(MagnitudeParameters, tree).biases
        checks["rewound masks are those of their rounds, and each is scored"] = partial(
            rewound, run, rewind, masks, biases
        )
    if transfer.cells(run.grid):
        recipe = section(FinetuneParameters, tree)
        checks["transferred masks come out again, and each is scored"] = partial(
            transferred, run, transfer, recipe
        )
    connectivity = section(ConnectivityParameters, tree)
    if connectivity.cells(run.grid):
        checks["lines begin with the retrained tickets, and each point is scored"] = partial(
            connected, run, connectivity, tolerance
        )
    return checks


def checks_of_records(run: FinishedRun) -> dict[str, Check]:
    """The checks that need neither models nor data."""
    return {
        "scores are those of the predictions": _for_each_cell(run, scored.scores),
        "sizes and overlaps are exact": _for_each_cell(run, counts.sizes),
    }


def _for_each_cell(run: FinishedRun, check: Callable[[CellOutputs], Findings]) -> Check:
    """One check of every cell in turn; a cell that cannot be read is one finding."""
    return lambda: chain.from_iterable(_readable(partial(check, cell)) for cell in run.cells)


def _readable(check: Check) -> Findings:
    """The findings of a check; a file that cannot be read ends it with one more."""
    try:
        yield from check()
    except UserError as error:
        yield str(error)


def run_checks(checks: Mapping[str, Check]) -> int:
    """Print a line for each check and its first findings; return the number of findings."""
    total = 0
    for name, check in checks.items():
        items = list(_readable(check))
        failures = [finding for finding in items if finding is not None]
        outcome = f"{len(failures)} of {len(items)} failed" if failures else f"{len(items)} passed"
        cli.console.print(f"{name}: {outcome}", markup=False)
        for finding in failures[:SHOWN]:
            cli.console.print(f"  {finding}", markup=False)
        if len(failures) > SHOWN:
            cli.console.print(f"  and {len(failures) - SHOWN} more")
        total += len(failures)
    return total


def rebuilt(sources: Sequence[Path], inputs: Sequence[Path], reports: Path) -> Findings:
    """Rerun `analyse` on `sources` and `report` on its tables and `inputs` elsewhere, and compare every file's bytes.

    The report is rebuilt with the recorded provenance, which states the machine and the time.
    """
    with TemporaryDirectory() as scratch:
        rebuilt = Path(scratch) / "reports"
        for file in (cli.PARAMETERS, eta.PIPELINE):
            shutil.copy(file, scratch)
        tables, origin = rebuilt / "tables", Path("provenance.json")
        _run_stage(scratch, "analyse", *sources, tables, rebuilt / "metrics.json")
        outputs = (rebuilt / name for name in ("report.md", "figures", "report.html", origin))
        shown = ("--recorded", reports / origin, "--speed", reports / "speed.csv")
        _run_stage(scratch, "report", tables, *inputs, *outputs, *shown)
        expected = {file.relative_to(rebuilt) for file in rebuilt.rglob("*") if file.is_file()}
        present = {
            file.relative_to(reports)
            for folder in ("tables", "figures")
            for file in (reports / folder).glob("*")
        }
        for file in sorted(expected | present):
            yield _difference(reports / file, rebuilt / file)


def _difference(present: Path, rebuilt: Path) -> str | None:
    """The difference of a file of the report from the rebuilt one, in words; None if there is none."""
    if not rebuilt.is_file():
        return f"{present}: not a file of this run"
    if not present.is_file():
        return f"{present}: missing"
    if present.read_bytes() == rebuilt.read_bytes():
        return None
    if present.suffix == ".png":
        return f"{present}: differs from the figure that the scores give"
    pairs = zip_longest(present.read_bytes().splitlines(), rebuilt.read_bytes().splitlines())
    line = next((number for number, (old, new) in enumerate(pairs, 1) if old != new), 0)
    return f"{present}: line {line} differs from what the scores give"


def _run_stage(scratch: str, name: str, *arguments: Path | str) -> None:
    """Run a stage with `scratch` as the project. Raises UserError if it fails."""
    words = [
        str(argument.absolute()) if isinstance(argument, Path) else argument
        for argument in arguments
    ]
    process = subprocess.run(
        [sys.executable, "-m", f"stages.{name}", *words],
        cwd=scratch,
        env=os.environ | {"PYTHONPATH": str(imports.ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    if process.returncode:
        last_line = process.stderr.strip().splitlines()[-1:]
        raise UserError(f"the stage {name} failed when it was rerun: {''.join(last_line)}")
