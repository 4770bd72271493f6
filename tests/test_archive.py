"""Archives: what is damaged, or made to do harm, is refused with one line and leaves nothing."""

import resource
import stat
from collections.abc import Callable
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import pytest

from lottery import checksum
from lottery.bundle import archive
from lottery.errors import UserError
from tests.workspace import digests
from tools import open_bundle


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """A sound archive of two files."""
    (tmp_path / "sound").mkdir()
    out = tmp_path / "sound" / "whole.zip"
    archive.write(out, {}, {}, {"params.yaml": "grid", "dvc.yaml": "stages"})
    return out


def test_a_sound_archive_is_extracted_and_the_same_files_give_the_same_bytes(
    whole: Path, tmp_path: Path
) -> None:
    open_bundle.main(whole, tmp_path / "opened", check=False)
    assert (tmp_path / "opened" / "dvc.yaml").read_text() == "stages"
    files = {path.name: path for path in (tmp_path / "opened").glob("*.yaml")}
    sums = {name: checksum.of_file(path) for name, path in files.items()}
    archive.write(tmp_path / "again.zip", files, sums, {})
    assert (tmp_path / "again.zip").read_bytes() == whole.read_bytes()


def test_a_file_that_changes_meanwhile_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_text("before")
    sums = {file.name: checksum.of_file(file)}
    file.write_text("after")
    with pytest.raises(UserError, match=r"params\.yaml: it was changed meanwhile"):
        archive.write(tmp_path / "x.zip", {file.name: file}, sums, {})


@pytest.mark.parametrize("name", [".hidden/x", "a/.", "a:b", "é" * 130])
def test_a_name_that_would_be_refused_is_not_written(tmp_path: Path, name: str) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(UserError, match="no bundle may have a file of this name"):
        archive.write(tmp_path / "x.zip", {name: file}, {name: checksum.of_file(file)}, {})


def test_an_error_of_the_disk_is_not_one_of_the_bundle(whole: Path, tmp_path: Path) -> None:
    """A limit on the size of files stands for a full disk; the command words both."""
    (tmp_path / "opened").mkdir()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            archive.extract(whole, tmp_path / "opened")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def rewritten(old: Path, new: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The archive with changed members."""
    with ZipFile(old) as file:
        members = {name: file.read(name) for name in file.namelist()}
    change(members)
    with ZipFile(new, "w") as file:
        for name, content in members.items():
            file.writestr(ZipInfo(name), content)
    return new


def renamed(old: str, new: str) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        members[new] = members.pop(old)
        members[archive.CHECKSUMS] = members[archive.CHECKSUMS].replace(old.encode(), new.encode())

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda members: members.pop("params.yaml"), "params.yaml: it is missing"),
        (lambda members: members.pop(archive.CHECKSUMS), "not a bundle, it has no checksums"),
        (lambda members: members.update({"params.yaml": b"grid: {}"}), "params.yaml: its bytes were changed"),
        (lambda members: members.update({"more.txt": b""}), "more.txt: it has no checksum"),
        (lambda members: members.update({archive.CHECKSUMS: b"abc"}), "line 1 is no checksum"),
        (lambda members: members.update({"PARAMS.yaml": b""}), "params.yaml is there more than once"),
        (lambda members: members.update({"params.yaml/x": b""}), "params.yaml is a file and a folder"),
        *((renamed("dvc.yaml", name), "is no path inside it") for name in (
            "../dvc.yaml", "/dvc.yaml", "a/../../dvc.yaml", "..\\dvc.yaml", "C:dvc.yaml", ".git/hooks/x", "a//b",
            "x\x07",
        )),
    ],
)  # fmt: skip
def test_a_hostile_or_damaged_bundle_is_refused(
    whole: Path, tmp_path: Path, change: Callable[[dict[str, bytes]], None], message: str
) -> None:
    place = tmp_path / "inside"
    place.mkdir()
    with pytest.raises(UserError) as caught:
        open_bundle.main(rewritten(whole, tmp_path / "x.zip", change), place / "opened")
    assert message in str(caught.value)
    assert not list(place.iterdir())
    assert {path.name for path in tmp_path.iterdir()} == {"inside", "sound", "x.zip"}


@pytest.mark.parametrize("kind", ["link", "compressed", "truncated", "text", "absent"])
def test_what_is_no_bundle_is_refused(whole: Path, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "x.zip"
    if kind == "truncated":
        path.write_bytes(whole.read_bytes()[:-100])
    elif kind == "text":
        path.write_text("no archive")
    elif kind != "absent":
        link = ZipInfo("evil")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        with ZipFile(path, "w") as file:
            file.writestr(archive.CHECKSUMS, "")
            if kind == "link":
                file.writestr(link, "/etc/passwd")
            else:
                file.writestr("zeros", bytes(10**6), ZIP_DEFLATED)
    with pytest.raises(UserError, match=r"^[^\n]*x\.zip: "):
        open_bundle.main(path, tmp_path / "opened")
    assert not (tmp_path / "opened").exists()


def test_damage_of_any_byte_is_noticed_or_harmless(whole: Path, tmp_path: Path) -> None:
    """Harmless: in what a zip file says twice, or of times."""
    (tmp_path / "opened").mkdir()
    archive.extract(whole, tmp_path / "opened")
    files, content = digests(tmp_path / "opened"), bytearray(whole.read_bytes())
    noticed = 0
    for at, flip in product(range(len(content)), (0x01, 0x55, 0xFF)):
        content[at] ^= flip
        (tmp_path / "x.zip").write_bytes(content)
        content[at] ^= flip
        with TemporaryDirectory() as opened:
            try:
                archive.extract(tmp_path / "x.zip", Path(opened))
            except UserError:
                noticed += 1
            else:
                assert digests(Path(opened)) == files
    assert noticed > len(content)
