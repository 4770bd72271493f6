"""The fuzzed readers: each is in `make fuzz`, reads its valid file, and refuses what is cut short or turned over."""

import re
import struct
from pathlib import Path

import pytest

from lottery.errors import UserError
from tests.fuzz.readers import READERS
from tests.fuzz.valid import valid_files
from tests.project import ROOT


@pytest.fixture(scope="module")
def valid(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return valid_files(tmp_path_factory.mktemp("valid"))


def test_make_fuzz_names_every_reader(valid: dict[str, bytes]) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    [names] = re.findall(r"^READERS \?= ((?:.*\\\n)*.*)$", makefile, re.MULTILINE)
    assert set(names.replace("\\\n", " ").split()) == set(READERS) == set(valid)


@pytest.mark.parametrize("name", READERS)
def test_a_valid_file_is_read_and_damaged_ones_are_read_or_refused(
    valid: dict[str, bytes], tmp_path: Path, name: str
) -> None:
    content = valid[name]
    READERS[name](tmp_path, content)
    damaged = [content[: len(content) * part // 8] for part in range(8)]
    damaged += [content[::-1], content + content, content.replace(b"1", b"\xff"), b"\x00" * 64]
    for other in damaged:
        assert "\n" not in refusal(name, tmp_path, other)


def test_a_table_whose_text_lies_outside_of_it_is_refused(
    valid: dict[str, bytes], tmp_path: Path
) -> None:
    """It ended the process: pyarrow trusts the offsets of a table that is mapped."""
    offsets = struct.pack("<3i", 0, 6, 12)
    assert offsets in valid["own-folder"]
    forged = valid["own-folder"].replace(offsets, struct.pack("<3i", 0, -(2**20), 12))
    assert "a damaged table" in refusal("own-folder", tmp_path, forged)


def test_a_type_that_is_none_is_refused(valid: dict[str, bytes], tmp_path: Path) -> None:
    forged = valid["own-folder"].replace(b'"features": {', b'"features": {"x": "y", ')
    assert "not a folder that save_to_disk wrote" in refusal("own-folder", tmp_path, forged)


def refusal(name: str, folder: Path, content: bytes) -> str:
    """The reason for which a reader refuses these bytes; empty if it reads them."""
    try:
        READERS[name](folder, content)
    except UserError as error:
        return str(error)
    return ""
