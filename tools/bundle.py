"""Write a finished run into one archive, with metadata and checksums: `lottery bundle`."""

import datetime as dt
import tomllib
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from cluster.git import git, line
from lottery.bundle import archive, crate
from lottery.bundle.crate import Release
from lottery.data.parameters import EncoderParameters
from lottery.errors import UserError
from lottery.grid import GridParameters
from lottery.params import section
from lottery.report import provenance
from lottery.verification import hashes
from lottery.wording import counted, listed
from stages.shell import cli, eta, imports

RECORDS = ("scores", "predictions", "subnetworks", "attention", "reports", "data/meta", "data/patterns", "data/tasks",
    "data/code", "data/checked.json")  # fmt: skip
"""Outputs of a run from which its analysis can be repeated."""
SINGLE = ("params.yaml", "dvc.yaml", "dvc.lock")
"""Files that say which run it is."""
TERMS = (
    "LICENSE",
    "CITATION.cff",
    "published/README.md",
    "published/masks.csv",
    "published/results.csv",
)
EXPORTED = "exported"


def main(
    out: Annotated[Path, Argument(help="The archive.")] = Path("build/bundle.zip"),
    kept: Annotated[
        bool, Option("--kept", help="Add the trained tickets that the run keeps.")
    ] = False,
    exported: Annotated[
        Path | None, Option(help="Add the tickets exported to this folder, such as build/tickets.")
    ] = None,
    date: Annotated[
        str | None,
        Option(help="Date of publication, as 2026-11-26; by default of the last commit."),
    ] = None,
) -> None:
    """Write a finished run into one archive, for others to read and check."""
    parameters = cli.parameters()
    grid, encoder = section(GridParameters, parameters), section(EncoderParameters, parameters)
    with cli.stage("bundle", "all", str(out)) as stage:
        files = _files(kept, exported)
        about = (
            f"Lottery tickets in {encoder.checkpoint}: {listed(grid.tasks)};"
            f" seeds {listed(map(str, grid.seeds))}."
        )
        sums = {name: archive.digest(path) for name, path in files.items()}
        described = crate.metadata(files, sums, str(cli.PARAMETERS), about, _release(date))
        with cli.fresh_file(out) as draft:
            count = archive.write(draft, files, sums, {crate.METADATA: described})
            size = draft.stat().st_size
        stage.result = f"{counted(count, 'file')}, {size / 1e6:.1f} MB in {out}"


def is_record(path: str) -> bool:
    """True if an output of a run belongs to every bundle."""
    return archive.is_safe(path) and any(Path(path).is_relative_to(record) for record in RECORDS)


def _files(kept: bool, exported: Path | None) -> dict[str, Path]:
    """The files of the bundle by their names in it. Raises UserError if the run is not finished."""

    def chosen(path: str) -> bool:
        return is_record(path) or (kept and path.startswith("tickets/"))

    lock, parameters = Path("dvc.lock"), cli.parameters()
    jobs = eta.jobs(eta.PIPELINE, parameters)
    for fault in filter(None, hashes.outputs(lock, jobs, parameters, chosen)):
        raise UserError(f"{fault}; finish the run with `make repro` first")
    records = filter(chosen, hashes.recorded(lock, jobs))
    places = [Path(name) for name in (*SINGLE, *records)]
    places += [Path("reports/speed.csv"), *sorted(Path("data/assets").glob("*/asset.json"))]
    files = {path.as_posix(): path for place in places for path in _below(place)}
    files |= {name: imports.ROOT / name for name in TERMS}
    if exported:
        ticket = _below(exported)
        if exported.is_file() or not ticket:
            raise UserError(f"{exported}: no exported ticket; make one with `lottery export`")
        files |= {f"{EXPORTED}/{path.relative_to(exported).as_posix()}": path for path in ticket}
    return files


def _below(place: Path) -> list[Path]:
    """A file, or the files below a folder, without hidden ones and those in hidden folders."""
    if place.is_file():
        return [place]
    return sorted(
        path
        for path in place.rglob("*")
        if path.is_file() and not any(part[0] == "." for part in path.relative_to(place).parts)
    )


def _release(date: str | None) -> Release:
    revision = provenance.load(Path("reports/provenance.json")).revision
    if date is None:
        try:
            date = line(Path(), "show", "--no-patch", "--format=%cs", "HEAD")
        except UserError:
            raise UserError("no commit that says when the run was made; give --date") from None
    if not _is_date(date):
        raise UserError(f"--date {date}: expected a date such as 2026-11-26")
    return Release(_version(revision), revision, date)


def _is_date(text: str) -> bool:
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _version(revision: str | None) -> str | None:
    """Version of the project at a revision; None if the repository does not have it."""
    if revision is None:
        return None
    try:
        text = git(Path(), "show", f"{revision}:./pyproject.toml").decode()
    except UserError:
        return None
    version: str | None = tomllib.loads(text).get("project", {}).get("version")
    return version
