"""An archive of files with their checksums: the same bytes from the same files, and read with suspicion.

A zip file without compression, whose members are sorted and have neither times nor owners.
"""

import hashlib
import re
import shutil
import stat
import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from lottery.errors import UserError

CHECKSUMS = "checksums.sha256"
"""Member with the SHA-256 of all others, as `sha256sum --check` reads it."""
LINE = re.compile(r"([0-9a-f]{64})  (.+)")
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every member, the first that zip files have."""
ENCRYPTED = 1
BLOCK = 1 << 20
"""Bytes that are copied at once."""
MOST = 100_000
"""Members that an archive may have."""


def write(
    out: Path, files: Mapping[str, Path], sums: Mapping[str, str], texts: Mapping[str, str]
) -> int:
    """Write files and texts, by their names in the archive, with a list of checksums; returns how many members it has.

    Raises UserError if a file has no longer the checksum in `sums`, or a name that `extract` refuses.
    """
    for name in filter(lambda name: not is_safe(name), files):
        raise UserError(f"{name!r}: no bundle may have a file of this name; rename or remove it")
    everything = {**sums}
    everything |= {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    listing = "".join(f"{everything[name]}  {name}\n" for name in sorted(everything))
    with ZipFile(out, "w", ZIP_STORED) as archive:
        for name in sorted([*everything, CHECKSUMS]):
            member = ZipInfo(name, EPOCH)
            member.create_system, member.external_attr = 3, (stat.S_IFREG | 0o644) << 16
            if name in files:
                member.file_size = files[name].stat().st_size
                with files[name].open("rb") as source, archive.open(member, "w") as copy:
                    if _copied(iter(partial(source.read, BLOCK), b""), copy) != sums[name]:
                        raise UserError(f"{files[name]}: it was changed meanwhile; try again")
            else:
                archive.writestr(member, listing if name == CHECKSUMS else texts[name])
    return len(everything) + 1


def extract(path: Path, folder: Path) -> int:
    """Write the members of the archive into an empty folder; returns how many there are.

    Nothing is written outside the folder, and no link. Raises UserError if the file is no such archive, a member has
    an unsafe name or other bytes than its checksum says, or if members and checksums are not the same.
    """
    with _readable(path):
        archive = ZipFile(path)
    with archive:
        members = {member.filename: member for member in archive.infolist()}
        for fault in _faults(archive.infolist()):
            raise UserError(f"{path}: {fault}; it is not opened")
        with _readable(path):
            listing = archive.read(CHECKSUMS)
        sums = _checksums(listing.decode(errors="replace"))
        for name in sorted((sums.keys() | members.keys()) - {CHECKSUMS}):
            if name not in sums or name not in members:
                where = "it has no checksum" if name in members else "it is missing"
                raise UserError(
                    f"{path}: {name}: {where}; take the bundle from where it was published"
                )
        if sum(member.file_size for member in members.values()) > shutil.disk_usage(folder).free:
            raise UserError(f"{path}: no room for its files in {folder}")
        for name, member in members.items():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("xb") as copy:
                checksum = _copied(_blocks(path, archive, member), copy)
            if name != CHECKSUMS and checksum != sums[name]:
                raise UserError(
                    f"{path}: {name}: its bytes were changed; take the bundle from where it was published"
                )
        return len(members)


def is_safe(name: str) -> bool:
    """True for a plain relative path: no `..`, no empty or hidden part, no backslash, colon or control character."""
    parts = name.split("/")
    plain = name.isprintable() and not set(name) & set('\\:*?"<>|') and len(name.encode()) < 240
    return plain and not any(not part or part.startswith(".") for part in parts)


def _copied(blocks: Iterable[bytes], copy: IO[bytes]) -> str:
    """Write the bytes of a file; returns their SHA-256."""
    checksum = hashlib.sha256()
    for block in blocks:
        checksum.update(block)
        copy.write(block)
    return checksum.hexdigest()


def _blocks(path: Path, archive: ZipFile, member: ZipInfo) -> Iterator[bytes]:
    """The bytes of a member of the archive at `path`."""
    with _readable(path), archive.open(member) as source:
        yield from iter(partial(source.read, BLOCK), b"")


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Errors of an archive's format while it is read, and of an archive that is cut short, become a UserError."""
    try:
        yield
    except (BadZipFile, EOFError, LookupError, RuntimeError, ValueError, struct.error) as error:
        raise UserError(f"{path}: not a bundle, or damaged: {error}") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be opened: {error.strerror or error}") from None


def _faults(members: list[ZipInfo]) -> Iterator[str]:
    """Reasons for which members must not be written."""
    names = [member.filename for member in members]
    if CHECKSUMS not in names:
        yield f"not a bundle, it has no {CHECKSUMS}"
    if len(names) > MOST:
        yield f"it has {len(names):,} files"
    for name, count in Counter(name.casefold() for name in names).items():
        if count > 1:
            yield f"{name} is there more than once"
    for member in members:
        yield from _faults_of(member)
    folders = {parent.casefold() for name in names for parent in _parents(name)}
    for name in names:
        if name.casefold() in folders:
            yield f"{name[:80]} is a file and a folder"


def _faults_of(member: ZipInfo) -> Iterator[str]:
    name, kind = member.filename, stat.S_IFMT(member.external_attr >> 16)
    if not is_safe(name):
        yield f"{name[:80]!r} is no path inside it"
    if kind not in {0, stat.S_IFREG}:
        yield f"{name[:80]} is a link or a special file"
    if member.compress_type != ZIP_STORED or member.flag_bits & ENCRYPTED:
        yield f"{name[:80]} is compressed or encrypted, which `lottery bundle` never does"


def _parents(name: str) -> list[str]:
    return [str(parent) for parent in PurePosixPath(name).parents][:-1]


def _checksums(text: str) -> dict[str, str]:
    """Checksums by name. Raises UserError if a line is none."""
    sums = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = LINE.fullmatch(line)
        if match is None:
            raise UserError(f"{CHECKSUMS}: line {number} is no checksum; the bundle is damaged")
        sums[match[2]] = match[1]
    return sums
