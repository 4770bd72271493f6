"""Masks of others that are wrong in some way: each is refused with one line that names the file."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lottery.analysis import published_masks
from lottery.errors import UserError

HEAD = "task,seed,heads,mlps\n"
LONG = "task,seed,layer,head_or_mlp,component,kept\n"
TABLES = {
    "empty": "",
    "no row": HEAD,
    "no known column": "a,b\n1,2\n",
    "a column too few": "task,seed,heads\ntoy,1\n",
    "cells too many": HEAD + "toy,1,01 11,10,x,y\n",
    "no heads": HEAD + "toy,1,,10\n",
    "no seed": HEAD + "toy,,01 11,10\n",
    "no task": HEAD + ",1,01 11,10\n",
    "a seed in words": HEAD + "toy,one,01 11,10\n",
    "half a seed": HEAD + "toy,1.5,01 11,10\n",
    "a seed below 0": HEAD + "toy,-1,01 11,10\n",
    "an endless seed": HEAD + "toy,inf,01 11,10\n",
    "a digit of its own": HEAD + "toy,1,02 11,10\n",
    "letters for digits": HEAD + "toy,1,ab cd,10\n",
    "layers of other lengths": HEAD + "toy,1,011 11,10\n",
    "more MLPs than layers": HEAD + "toy,1,01 11,101\n",
    "a seed twice": HEAD + "toy,1,01 11,10\ntoy,1,01 11,10\n",
    "another encoder": HEAD + "toy,1,01 11,10\ntoy,2,01 11 11,101\n",
    "a path as task": HEAD + "../toy,1,01 11,10\n",
    "a quote that stays open": HEAD + '"toy,1,01 11,10\n',
    "zero bytes": HEAD + "toy\0,1,01 11,10\n",
    "long, no row": LONG,
    "long, half a layer": LONG + "toy,1,0.5,head,0,1\n",
    "long, a layer in words": LONG + "toy,1,first,head,0,1\n",
    "long, a layer below 0": LONG + "toy,1,-1,head,0,1\n",
    "long, a huge layer": LONG + "toy,1,99999999999,head,0,1\n",
    "long, a kind of its own": LONG + "toy,1,0,neuron,0,1\n",
    "long, kept by half": LONG + "toy,1,0,head,0,0.5\n",
    "long, kept is missing": LONG + "toy,1,0,head,0,\n",
    "long, a head missing": LONG + "toy,1,0,head,0,1\ntoy,1,1,head,1,1\n",
    "long, a head twice": LONG + "toy,1,0,head,0,1\ntoy,1,0,head,0,1\n",
    "long, only MLPs": LONG + "toy,1,0,mlp,0,1\n",
}
ARRAYS: dict[str, Any] = {
    "no dimension": np.array(1.0),
    "one dimension": np.ones(4),
    "three dimensions": np.ones((2, 2, 2)),
    "no layer": np.ones((0, 4)),
    "no head": np.ones((2, 0)),
    "a half": np.full((2, 2), 0.5),
    "a two": np.full((2, 2), 2),
    "not a number": np.full((2, 2), np.nan),
    "endless": np.full((2, 2), np.inf),
    "texts": np.full((2, 2), "1"),
    "objects": np.array([[{}]], object),
    "complex": np.ones((2, 2), complex),
    "times": np.zeros((2, 2), "datetime64[s]"),
    "records": np.zeros((2, 2), [("kept", bool)]),
}


def refused(source: Path) -> None:
    with pytest.raises(UserError) as caught:
        published_masks.read(source)
    message = str(caught.value)
    assert message.startswith(str(source))
    assert "\n" not in message


@pytest.mark.parametrize("name", TABLES)
def test_a_wrong_table_is_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "masks.csv").write_text(TABLES[name])
    refused(tmp_path / "masks.csv")


@pytest.mark.parametrize("name", ARRAYS)
def test_a_wrong_array_is_one_line(tmp_path: Path, name: str) -> None:
    cell = tmp_path / "toy" / "seed_1"
    cell.mkdir(parents=True)
    np.save(cell / "head_mask.npy", ARRAYS[name])
    np.save(cell / "mlp_mask.npy", np.ones(2))
    refused(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"\x93NUMPY", b"\x93NUMPY\x01\x00\xff\xff{", b"PK\x03\x04", b"0 1\n1 0\n"]
)
def test_a_file_that_is_no_array_is_one_line(tmp_path: Path, content: bytes) -> None:
    cell = tmp_path / "toy" / "seed_1"
    cell.mkdir(parents=True)
    (cell / "head_mask.npy").write_bytes(content)
    refused(tmp_path)
