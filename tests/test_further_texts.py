"""Other texts from the hub: a further dev split of a GLUE task, whose labels mean the same."""

import json
from pathlib import Path

import datasets
import pytest
from datasets import load_from_disk

from lottery.data import glue, hub
from tests import toy_hub


def paws(rows: int = 12) -> datasets.Dataset:
    """PAWS in small, with the columns and features that the hub gives."""
    columns = {
        "id": [*range(rows)],
        "sentence1": [f"flights from here to town {row}" for row in range(rows)],
        "sentence2": [f"flights from town {row} to here" for row in range(rows)],
        "label": [row % 2 for row in range(rows)],
    }
    features = datasets.Features(
        {
            "id": datasets.Value("int32"),
            "sentence1": datasets.Value("string"),
            "sentence2": datasets.Value("string"),
            "label": datasets.ClassLabel(names=["0", "1"]),
        }
    )
    return datasets.Dataset.from_dict(columns, features=features)


def test_paws_is_a_further_dev_split_of_qqp(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = toy_hub.glue(tmp_path / "glue")

    def dataset(name: str, task: str, split: str | None = None) -> object:
        if name == "google-research-datasets/paws":
            assert (task, split) == ("labeled_final", "test")
            return paws()
        return load_from_disk(source / task)

    monkeypatch.setattr(datasets, "load_dataset", dataset)
    hub.fetch_task("qqp", "hub", downloaded := tmp_path / "qqp")
    corpus = glue.read_glue("qqp", downloaded)
    assert list(corpus) == ["train", "dev", "dev-paws"]
    expected = [(row["sentence1"], row["sentence2"], row["label"]) for row in paws()]
    assert [(row.first, row.second, row.label) for row in corpus["dev-paws"]] == expected
    about = json.loads((downloaded / "asset.json").read_text("utf-8"))
    assert "dev-paws is the split test of google-research-datasets/paws" in about["notes"][0]
    hub.fetch_task("qqp", str(tmp_path), copied := tmp_path / "copy")
    assert glue.read_glue("qqp", copied) == corpus
    assert list(glue.read_glue("qqp", source / "qqp")) == ["train", "dev"]
