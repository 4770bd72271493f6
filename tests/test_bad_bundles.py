"""Bundles with right checksums and wrong files: one line, and nothing outside of them is read."""

from contextlib import chdir
from pathlib import Path

import pytest

from lottery.errors import UserError
from tests import toy_bundle
from tools import bundle, open_bundle, verify


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundles") / "bundle.zip"
    with chdir(toy_bundle.finished(tmp_path_factory.mktemp("run"))):
        bundle.main(out, date="2026-11-27")
    return out


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("dvc.yaml", None),
        *(
            ("dvc.yaml", content)
            for content in (
                b"[", b"- 1", b"stages: 3", b"stages: {a: 3}", b"stages: {a: {matrix: 3}}",
                b"stages: {a: {matrix: {b: 3}}}", b"stages: {a: {matrix: {b: '${c.d}'}}}", b"\xff\xfe",
            )
        ),
        ("data/code/report.txt", b"\xff\xfe"),
        ("data/code/report.txt", b"0" * 64 + b"  " + b"a" * 5000),
        ("data/code/report.txt", b"0" * 64 + b"  \x1b[31mred"),
        ("data/code/report.txt", b"0" * 64 + b"  ../../etc/hostname"),
        ("params.yaml", b"grid: ["),
        ("dvc.lock", b"stages: 3"),
    ],
)  # fmt: skip
def test_a_wrong_file_in_a_bundle_is_one_line(
    bundled: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    content: bytes | None,
) -> None:
    monkeypatch.setattr(verify, "rebuilt", lambda *_: iter(()))  # seconds, and no reader of these

    def forge(files: dict[str, Path]) -> None:
        if content is None:
            del files[name]
        else:
            files[name].write_bytes(content)

    archive_file = toy_bundle.forged(bundled, tmp_path, forge)
    capsys.readouterr()
    with pytest.raises(UserError):
        open_bundle.main(archive_file, tmp_path / "forged")
    assert "\x1b" not in capsys.readouterr().out


def test_no_record_lies_outside_the_bundle() -> None:
    assert bundle.is_record("reports/tables")
    assert not bundle.is_record("reports/../../../proc/cpuinfo")
    assert not bundle.is_record("/reports")
