"""Malformed data of every kind: refused with one line, or read correctly."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lottery import subnetwork
from lottery.attention import annotated
from lottery.data import examples, glue, hub, npy
from lottery.data.corpora import read_packaged
from lottery.data.inspection import inspect
from lottery.data.rows import Row
from lottery.data.tokenizer import Tokenizer
from lottery.errors import UserError
from lottery.model import checkpoint
from lottery.subnetwork import Subnetwork
from tests import toy_hub, toys

TEXTS = {"sentence1": ["a film", "a plot"], "sentence2": ["good", "bad"], "label": [0, 1]}


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_hub.bert(tmp_path_factory.mktemp("hub") / "bert")


def refused(read: Callable[[], object]) -> str:
    """The one-line message of the UserError that `read` must raise."""
    with pytest.raises(UserError) as caught:
        read()
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"label": [0, 2]}, "row 2 has the label 2"),
        ({"label": [0, -1]}, "the label -1"),
        ({"label": [0, None]}, "the label None"),
        ({"label": [0.0, 0.5]}, "the label 0.5"),
        ({"label": [0.0, float("nan")]}, "the label nan"),
        ({"label": ["0", "1"]}, "the label '0'"),
        ({"label": [[0], [1]]}, "the label [0]"),
        ({"sentence1": [None, "a"]}, "row 1 has a text of type NoneType"),
        ({"sentence2": [0, 1]}, "a text of type int"),
        ({"sentence1": [b"\xff", b"a"]}, "a text of type bytes"),
        ({"sentence1": None}, "lacks a column"),
        ({"label": None}, "lacks a column"),
    ],
)
def test_invalid_rows_are_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    columns = {name: values for name, values in (TEXTS | change).items() if values is not None}
    for split in ("train", "validation"):
        pq.write_table(pa.table(columns), tmp_path / f"{split}-0.parquet")
    assert message in refused(lambda: glue.read_glue("rte", tmp_path))


@pytest.mark.parametrize("info", ["[]", "{", "{}", '{"builder_name": "glue"}'])
def test_a_folder_that_does_not_say_so_is_not_called_glue(tmp_path: Path, info: str) -> None:
    folder = toy_hub.glue(tmp_path / "mine", train=30, dev=10)
    (folder / "rte" / "train" / "dataset_info.json").write_text(info)
    hub.fetch_task("rte", str(folder), tmp_path)
    asset = json.loads((tmp_path / "asset.json").read_text("utf-8"))
    assert asset["name"] == "folder mine/rte"


@pytest.mark.parametrize("content", [b"", b"PAR1", b"\x00" * 99, b"PAR1" + b"\xff" * 99 + b"PAR1"])
def test_malformed_parquet_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "train-0.parquet").write_bytes(content)
    assert "not readable" in refused(lambda: glue.read_glue("rte", tmp_path))


@pytest.mark.parametrize("state", ["", "{", "[]", "{}", '{"_data_files": [1]}', "[" * 100_000])
def test_a_malformed_state_file_is_refused(tmp_path: Path, state: str) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train" / "state.json").write_text(state)
    refused(lambda: glue.read_glue("rte", tmp_path))


@pytest.mark.parametrize(
    "line",
    [b"\n", b"a\tb\n", b"a\tb\tc\td\tx\te\tf\n", b"a\tb\tc\td\tnan\te\tf\n", b"\xff\n", b"\x00\n"],
)
def test_a_malformed_table_of_pairs_is_refused(tmp_path: Path, line: bytes) -> None:
    for split in ("train", "dev"):
        (tmp_path / f"{split}.tsv").write_bytes(line)
    refused(lambda: read_packaged("stsb", tmp_path))


@pytest.mark.parametrize("line", ["", "{", "1", "[]", "{}", '{"question": 1}', "[" * 100_000])
def test_malformed_json_lines_are_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "pairs.jsonl").write_text(line + "\n")
    refused(lambda: read_packaged("privacyqa", tmp_path))
    (tmp_path / "samples.jsonl").write_text(line + "\n")
    refused(lambda: read_packaged("sarcasm", tmp_path))


@pytest.mark.parametrize(
    "text", ["film " * 10_000, "a\x00b", "", " ", "\ud7ff\U0001f600", "\u2028"]
)
def test_any_text_is_truncated_to_max_length(bert: Path, text: str) -> None:
    rows = [Row(text, None, 0.0), Row("film", text, 1.0)]
    encoded, truncated = Tokenizer(bert, 16).encode("rte", "dev", rows)
    assert len(encoded) == 2
    assert encoded.lengths_N.max() <= 16
    assert truncated.sum() == (2 if len(text) > 100 else 0)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"model": {"type": "none"}}'])
def test_a_malformed_tokenizer_is_refused(bert: Path, tmp_path: Path, content: str) -> None:
    for file in bert.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "tokenizer.json").write_text(content)
    refused(lambda: Tokenizer(tmp_path, 16))


@pytest.mark.parametrize(
    "change",
    [
        {"hidden_size": 0}, {"hidden_size": -1}, {"hidden_size": 33}, {"hidden_size": 10**12},
        {"vocab_size": 10**400}, {"num_hidden_layers": 10**6}, {"num_attention_heads": 0},
        {"layer_norm_eps": float("nan")}, {"hidden_dropout_prob": 2}, {"kept_heads": [[99]]},
        {"kept_heads": []}, {"kept_mlps": [3]}, {"model_type": None}, {"hidden_size": None},
        {"vocab_size": 2**24, "hidden_size": 2**24},
    ],
    ids=str,
)  # fmt: skip
def test_impossible_configurations_are_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    checkpoint.save(toys.encoder(), tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | change))
    refused(lambda: checkpoint.load(tmp_path, classes=2))


@pytest.mark.parametrize("content", [b"", b"\x00", b"\xff" * 8, b"[" * 100_000, b"1", b"[]"])
def test_a_malformed_configuration_is_refused(tmp_path: Path, content: bytes) -> None:
    checkpoint.save(toys.encoder(), tmp_path)
    (tmp_path / "config.json").write_bytes(content)
    refused(lambda: checkpoint.load(tmp_path, classes=2))
    (tmp_path / "tokenizer.json").touch()
    refused(lambda: inspect(tmp_path))


@pytest.mark.parametrize("end", [0, 4, 8, 100, -1])
def test_truncated_files_are_refused(tmp_path: Path, end: int) -> None:
    checkpoint.save(toys.encoder(), tmp_path)
    toys.subnetwork(1).save(tmp_path / "good.safetensors", task="rte")
    examples.save(toys.sentences(3), tmp_path / "dev.safetensors")
    readers: dict[str, Callable[[Path], object]] = {
        "model": lambda path: checkpoint.load(path.parent, classes=2),
        "good": subnetwork.load,
        "dev": examples.load,
    }
    for name, read in readers.items():
        path = tmp_path / f"{name}.safetensors"
        path.write_bytes(path.read_bytes()[:end])
        refused(lambda read=read, path=path: read(path))  # type: ignore[misc]


@pytest.mark.parametrize("array", [np.array(["a"]), np.array([1j]), np.zeros(1, [("a", int)])])
def test_arrays_without_real_numbers_are_refused(tmp_path: Path, array: Any) -> None:
    np.save(tmp_path / "map.npy", array)
    refused(lambda: npy.read(tmp_path / "map.npy"))


@pytest.mark.parametrize("text", ["", "a,b\n", "file,pattern\nx\n", 'file,pattern\n"\0",block\n'])
def test_malformed_labels_of_maps_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "labels.csv").write_text(text)
    refused(lambda: annotated.read(tmp_path))


def test_subnetworks_of_different_encoders_do_not_combine() -> None:
    other = Subnetwork({"heads": np.ones((2, 2), bool), "mlps": np.ones(2, bool)})
    with pytest.raises(ValueError, match="different encoders"):
        toys.subnetwork(1) & other
