"""Check a finished run from its outputs, without training or writing anything: `lottery verify`."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import chain
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
ORIGIN = "Provenance"
LINK = re.compile(r"\]\(([^)#:]+)\)")
PICTURE = re.compile(r"\]\((figures/[^)]+)\)")


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
    template = Path(html.__file__).with_name("page.html")
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
                "tables, figures and report come out again": lambda: _told(
                    gathered, (data / "meta", attention, template), reports
                ),
                "the page and its links are those of the report": lambda: _page(reports, template),
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


def _told(gathered: Sequence[Path], shown: Sequence[Path], reports: Path) -> Findings:
    """The last two stages, run again in an empty folder, leave the same bytes.

    Only the report's section on its origin may differ: it tells of the machine and of the time.
    """
    with TemporaryDirectory() as scratch:
        again = Path(scratch) / "reports"
        for file in (cli.PARAMETERS, eta.PIPELINE):
            shutil.copy(file, scratch)
        tables, figures, text = again / "tables", again / "figures", again / "report.md"
        _stage(scratch, "analyse", *gathered, tables, again / "metrics.json")
        _stage(scratch, "report", tables, *shown, text, figures, again / "report.html")
        files = {Path("metrics.json"), *_below(again), *_below(reports)}
        for file in sorted(files):
            known, new = reports / file, again / file
            same = known.is_file() and new.is_file() and known.read_bytes() == new.read_bytes()
            yield None if same else f"{known}: not what the scores lead to"
        for title, part in _sections(text).items():
            same = title == ORIGIN or _sections(reports / text.name).get(title) == part
            yield None if same else f"{reports / text.name}: {title}: not what the tables lead to"


def _stage(scratch: str, name: str, *arguments: Path) -> None:
    """Run a stage with `scratch` as the project; a UserError where it fails."""
    done = subprocess.run(
        [sys.executable, "-m", f"stages.{name}", *(str(each.absolute()) for each in arguments)],
        cwd=scratch,
        env=os.environ | {"PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise UserError(f"{name}, run again, fails: {done.stderr.strip().splitlines()[-1:]}")


def _below(reports: Path) -> set[Path]:
    return {
        file.relative_to(reports)
        for folder in ("tables", "figures")
        for file in (reports / folder).glob("*")
    }


def _sections(report: Path) -> Mapping[str, str]:
    """The text of the report below each of its titles."""
    parts = report.read_text(encoding="utf-8").split("\n## ") if report.is_file() else []
    return {part.partition("\n")[0]: part for part in parts}


def _page(reports: Path, template: Path) -> Findings:
    """The page holds the report's text and figures, and what the report links to is there."""
    source, page = reports / "report.md", reports / "report.html"
    if not source.is_file() or not page.is_file():
        raise UserError(f"{source} or {page} is missing")
    text = source.read_text(encoding="utf-8")
    links = {link for link in LINK.findall(text) if not (reports / link).is_file()}
    yield from (f"{source}: links to {link}, which is not there" for link in sorted(links))
    yield from (None for link in LINK.findall(text) if link not in links)
    pictures = set(PICTURE.findall(text)) - links
    shown = {name: (reports / name).read_bytes() for name in pictures}
    same = html.page(text, shown, template.read_text("utf-8")) == page.read_text("utf-8")
    yield None if same else f"{page}: not the page of {source}"
