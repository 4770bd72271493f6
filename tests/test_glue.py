"""GLUE and checkpoints from hub or folder; `datasets` and `transformers` as oracles."""

import json
from pathlib import Path
from typing import Any, cast

import pytest
from datasets import DatasetDict, load_from_disk
from transformers import AutoTokenizer

from lottery.data import glue, hub, splits, summary
from lottery.data.corpora import Row
from lottery.data.examples import DataParameters
from lottery.data.tokenizer import Tokenizer
from lottery.errors import UserError
from lottery.tasks import get_task
from tests import toy_hub


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


@pytest.mark.parametrize("name", glue.COLUMNS)
def test_every_task_is_read_as_datasets_reads_it(source: Path, tmp_path: Path, name: str) -> None:
    hub.fetch_task(name, str(source), tmp_path)
    corpus = glue.saved(name, tmp_path)
    assert list(corpus) == ["train", "dev", *(["dev-mismatched"] if name == "mnli" else [])]
    theirs = load_from_disk(str(source / name))
    names = {"train": "train"} | dict(glue.DEV.get(name, {"dev": "validation"}))
    for split, rows in corpus.items():
        texts = glue.COLUMNS[name]
        for mine, other in zip(rows, theirs[names[split]], strict=True):
            expected = [other[text] for text in texts] + [None] * (2 - len(texts))
            assert [mine.first, mine.second, mine.label] == [*expected, other["label"]]


@pytest.mark.parametrize("name", ["cola", "mnli"])
def test_shards_and_the_hubs_parquet_say_the_same(source: Path, tmp_path: Path, name: str) -> None:
    known = load_from_disk(str(source / name))
    known.save_to_disk(tmp_path / "shards", num_shards=dict.fromkeys(known, 3))
    (tmp_path / "parquet").mkdir()
    for split, part in known.items():
        for shard in range(2):
            piece = part.shard(2, shard, contiguous=True)
            piece.to_parquet(tmp_path / "parquet" / f"{split}-{shard:05}-of-00002.parquet")
    expected = glue.saved(name, source / name)
    assert glue.saved(name, tmp_path / "shards") == expected
    assert glue.saved(name, tmp_path / "parquet") == expected


def test_a_task_that_is_not_there_names_both_ways_out(source: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no such folder.*hub.*save_to_disk"):
        hub.fetch_task("cola", str(tmp_path / "absent"), tmp_path)
    (tmp_path / "empty" / "cola").mkdir(parents=True)
    with pytest.raises(UserError, match=r"train of cola is not readable.*hub.*save_to_disk"):
        hub.fetch_task("cola", str(tmp_path / "empty"), tmp_path)
    with pytest.raises(UserError, match="not a GLUE task"):
        hub.fetch_task("privacyqa", str(source), tmp_path)


def test_wrong_columns_and_missing_labels_are_faults(source: Path) -> None:
    with pytest.raises(UserError, match=r"lacks a column.*premise"):
        glue._rows("mnli", source / "cola", "train", ("premise", "hypothesis"))
    with pytest.raises(UserError, match="label -1"):
        glue._rows("cola", source / "cola", "test", ("sentence",))


def test_the_hub_is_asked_for_one_task_and_one_encoder(
    source: Path, bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, dict[str, Any]] = {}

    def snapshot(name: str, **options: Any) -> str:
        asked[name] = options
        return str(bert)

    def dataset(name: str, task: str) -> DatasetDict:
        asked[name] = {"task": task}
        return cast(DatasetDict, load_from_disk(source / task))

    monkeypatch.setattr(hub, "snapshot_download", snapshot)
    monkeypatch.setattr(hub, "load_dataset", dataset)
    hub.fetch_task("rte", "hub", tmp_path / "rte")
    assert glue.saved("rte", tmp_path / "rte") == glue.saved("rte", source / "rte")
    hub.fetch_checkpoint("someone/bert", tmp_path)
    assert asked["nyu-mll/glue"] == {"task": "rte"}
    assert not any("bin" in part for part in asked["someone/bert"]["allow_patterns"])
    assert (tmp_path / "model.safetensors").read_bytes() == (
        bert / "model.safetensors"
    ).read_bytes()


def test_an_unreachable_hub_is_one_line_with_both_ways_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object, **__: object) -> str:
        raise FileNotFoundError("cannot reach the hub\nand a second line")

    monkeypatch.setattr(hub, "snapshot_download", offline)
    monkeypatch.setattr(hub, "load_dataset", offline)
    with pytest.raises(UserError, match=r"cannot reach the hub;.*folder") as data:
        hub.fetch_task("rte", "hub", tmp_path)
    with pytest.raises(UserError, match=r"cannot reach the hub\).*folder") as encoder:
        hub.fetch_checkpoint("bert-base-uncased", tmp_path)
    assert "\n" not in f"{data.value}{encoder.value}"


@pytest.mark.parametrize(
    ("absent", "told"),
    [
        ("model.safetensors", "pickled weights are refused"),
        ("tokenizer.json", "save the fast tokenizer"),
        ("config.json", "config.json is missing"),
    ],
)
def test_incomplete_checkpoints_are_refused(
    bert: Path, tmp_path: Path, absent: str, told: str
) -> None:
    folder = copy(bert, tmp_path / "bert")
    (folder / absent).unlink()
    (folder / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(UserError, match=told):
        hub.fetch_checkpoint(str(folder), tmp_path)


@pytest.mark.parametrize(
    ("config", "told"),
    [('{"model_type": "roberta"}', "model_type is 'roberta'"), ("[]", "None"), ("{", "not JSON")],
)
def test_what_is_no_bert_is_refused(bert: Path, tmp_path: Path, config: str, told: str) -> None:
    folder = copy(bert, tmp_path / "other")
    (folder / "config.json").write_text(config)
    with pytest.raises(UserError, match=told):
        hub.fetch_checkpoint(str(folder), tmp_path)


TEXTS = [
    Row("The films was GREAT, and awful.", None, 1.0),
    Row("plot " * 5, "cast was plain " * 9, 0.0),
    Row("film " * 30, "film", 1.0),
]


def test_ids_are_those_of_transformers(bert: Path) -> None:
    theirs = AutoTokenizer.from_pretrained(bert)
    found, cut = Tokenizer(bert, 16).encode("rte", "dev", TEXTS)
    assert cut == 2
    first = 0
    for row, length in zip(TEXTS, found.lengths_N.tolist(), strict=True):
        expected = theirs(row.first, row.second, truncation=True, max_length=16)
        part = slice(first, first + length)
        assert found.ids_T[part].tolist() == expected["input_ids"]
        assert found.types_T[part].tolist() == expected["token_type_ids"]
        first += length
    assert found.labels_N.tolist() == [1, 0, 1]


def test_a_tokenizers_own_padding_is_switched_off(bert: Path, tmp_path: Path) -> None:
    folder = copy(bert, tmp_path / "bert")
    rules = json.loads((folder / "tokenizer.json").read_text())
    rules["padding"] = {
        "strategy": {"Fixed": 32}, "direction": "Right", "pad_to_multiple_of": None,
        "pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]",
    }  # fmt: skip
    (folder / "tokenizer.json").write_text(json.dumps(rules))
    plain, padded = (
        Tokenizer(each, 16).encode("cola", "dev", TEXTS[:1])[0] for each in (bert, folder)
    )
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


def test_meta_counts_what_was_prepared(source: Path, bert: Path, tmp_path: Path) -> None:
    asset = tmp_path / "asset"
    asset.mkdir()
    hub.fetch_task("mnli", str(source), asset)
    data = DataParameters(
        source=str(source), train=30, select=3, dev=9, max_length=12, standardise=True
    )
    rows = splits.split_corpus(get_task("mnli"), glue.saved("mnli", asset), data)
    tokens = Tokenizer(bert, data.max_length)
    encoded = {split: tokens.encode("mnli", split, part) for split, part in rows.items()}
    known = summary.describe(get_task("mnli"), encoded, tokens.identity, asset, bert)
    assert known["splits"]["train"]["classes"] == {"0": 10, "1": 10, "2": 10}
    assert known["splits"]["dev-mismatched"]["examples"] == 9
    assert known["splits"]["train"]["tokens_max"] == 12
    assert known["splits"]["train"]["cut"] > 0
    assert known["data"]["name"] == "nyu-mll/glue: mnli"
    assert known["encoder"] is None
    assert len(known["tokenizer"]["vocabulary_sha256"]) == 64
