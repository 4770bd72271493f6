"""An archive of files with their checksums: the same bytes from the same files, and read with suspicion.

A zip file without compression, whose members are sorted and have neither times nor owners.
"""

import hashlib
import re
import shutil
import stat
import struct
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from lottery.errors import UserError

CHECKSUMS = "checksums.sha256"
"""Member with the SHA-256 of all others, as `sha256sum --check` reads it."""
LINE = re.compile(r"([0-9a-f]{64})  (.+)")
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every member, the first that zip files have."""
ENCRYPTED = 1
MOST = 100_000
"""Members that an archive may have."""


def write(out: Path, files: Mapping[str, Path], texts: Mapping[str, str]) -> None:
    """Write files and texts, by their names in the archive, with a list of their checksums."""
    sums = {name: digest(path) for name, path in files.items()}
    sums |= {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    listing = "".join(f"{sums[name]}  {name}\n" for name in sorted(sums))
    with ZipFile(out, "w", ZIP_STORED) as archive:
        for name in sorted([*sums, CHECKSUMS]):
            member = ZipInfo(name, EPOCH)
            member.create_system, member.external_attr = 3, (stat.S_IFREG | 0o644) << 16
            if name in files:
                member.file_size = files[name].stat().st_size
                with files[name].open("rb") as source, archive.open(member, "w") as copy:
                    shutil.copyfileobj(source, copy)
            else:
                archive.writestr(member, listing if name == CHECKSUMS else texts[name])


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def extract(path: Path, folder: Path) -> int:
    """Write the members of the archive into an empty folder; returns how many there are.

    Nothing is written outside the folder, and no link. Raises UserError if the file is no such archive, a member has
    an unsafe name or other bytes than its checksum says, or if members and checksums are not the same.
    """
    with _opened(path) as archive:
        members = {member.filename: member for member in archive.infolist()}
        for fault in _faults(archive.infolist()):
            raise UserError(f"{path}: {fault}; it is not opened")
        sums = _checksums(archive.read(CHECKSUMS).decode(errors="replace"))
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
            with archive.open(member) as source, target.open("xb") as copy:
                shutil.copyfileobj(source, copy)
            if name != CHECKSUMS and digest(target) != sums[name]:
                raise UserError(
                    f"{path}: {name}: its bytes were changed; take the bundle from where it was published"
                )
        return len(members)


@contextmanager
def _opened(path: Path) -> Iterator[ZipFile]:
    """The archive, opened; errors of its format, and an archive that is cut short, become a UserError."""
    try:
        with ZipFile(path) as archive:
            yield archive
    except (BadZipFile, EOFError, LookupError, RuntimeError, ValueError, struct.error) as error:
        raise UserError(f"{path}: not a bundle, or damaged: {error}") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be opened: {error.strerror or error}") from None


def _faults(members: list[ZipInfo]) -> Iterator[str]:
    """Why members must not be written, if at all."""
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
    if not _is_safe(name):
        yield f"{name[:80]!r} is no path inside it"
    if kind not in {0, stat.S_IFREG}:
        yield f"{name[:80]} is a link or a special file"
    if member.compress_type != ZIP_STORED or member.flag_bits & ENCRYPTED:
        yield f"{name[:80]} is compressed or encrypted, which `lottery bundle` never does"


def _is_safe(name: str) -> bool:
    """True for a plain relative path: no `..`, no empty or hidden part, no backslash, colon or control character."""
    parts = name.split("/")
    plain = name.isprintable() and not set(name) & set('\\:*?"<>|') and len(name) < 240
    return plain and not any(not part or part.startswith(".") for part in parts)


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
