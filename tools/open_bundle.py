"""Open the archive of a run in a new folder, and check what needs no model and no data: `lottery open`."""

from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from lottery import checksum
from lottery.bundle import archive
from lottery.errors import UserError
from lottery.report import html
from lottery.verification import hashes
from lottery.verification.run import Findings
from lottery.wording import counted, listed
from stages.shell import cli, eta, imports
from tools import verify
from tools.bundle import SINGLE, is_record
from tools.finished import finished_run

SOURCES = ("scores", "predictions", "subnetworks", "attention", "data/patterns", "published")
"""Inputs of the analysis."""


def main(
    bundle: Annotated[Path, Argument(help="The archive that `lottery bundle` wrote.")],
    folder: Annotated[Path, Argument(help="A folder that does not exist yet.")],
    check: Annotated[
        bool, Option(help="Repeat analysis and report with this code, and check the records.")
    ] = True,
) -> None:
    """Open the archive of a run in a new folder, and check what needs no model and no data."""
    if folder.exists():
        raise UserError(f"{folder}: exists already; name a new folder")
    with cli.fresh(folder) as draft:
        count = archive.extract(bundle, draft)
    cli.console.print(f"{folder}: {counted(count, 'file')} with the right checksums", markup=False)
    if not check:
        return
    with chdir(folder):
        if lacking := [name for name in SINGLE if not Path(name).is_file()]:
            raise UserError(f"{bundle}: no bundle of a run, it has no {listed(lacking)}")
        for line in _other_code():
            cli.console.print(line, markup=False)
        failures = verify.run_checks(_checks())
    if failures:
        raise UserError(
            f"{counted(failures, 'item')} failed, see above: do not rely on this bundle"
        )


def _checks() -> dict[str, verify.Check]:
    """The checks of an opened run, in whose folder they are made."""
    run = finished_run(
        *(
            Path(name)
            for name in ("data", "data/assets/encoder", "models", "subnetworks", "tickets")
        )
    )
    sources = [Path(name) for name in SOURCES]
    inputs = (Path("data/meta"), Path("attention"), html.TEMPLATE)
    return {
        "every record is the one that the run's lock file names": _recorded,
        **verify.checks_of_records(run),
        "tables, figures and report come out again": lambda: verify.rebuilt(
            sources, inputs, Path("reports")
        ),
    }


def _recorded() -> Findings:
    parameters = cli.parameters()
    jobs = eta.jobs(eta.PIPELINE, parameters)
    return hashes.outputs(Path("dvc.lock"), jobs, parameters, is_record)


def _other_code() -> Iterator[str]:
    """A line if this code differs from that with which the run's analysis and report were made."""
    sums = {}
    for listing in (Path("data/code/analyse.txt"), Path("data/code/report.txt")):
        for line in listing.read_text("utf-8", "replace").splitlines() if listing.exists() else ():
            match = archive.LINE.fullmatch(line)
            if match and archive.is_safe(match[2]):
                sums[match[2]] = match[1]
    differing = [name for name, digest in sorted(sums.items()) if _digest(name) != digest]
    if differing:
        files = counted(len(differing), "file")
        yield f"note: {files} of this code differ from the run's, such as {differing[0]}; results may differ"


def _digest(name: str) -> str | None:
    path = imports.ROOT / name
    return checksum.of_file(path) if path.is_file() else None
