"""Other texts from the hub: a further dev split of a GLUE task, whose labels mean the same."""

import json
from pathlib import Path
from typing import Any

import datasets
import pytest
from datasets import ClassLabel, Dataset, Features, Value, load_from_disk

from lottery.data import glue, hub
from lottery.errors import UserError
from tests import toy_hub

NAMES = {"mnli": ("entailment", "non-entailment"), "qqp": ("0", "1")}
CALLS = {
    "jhu-cogsci/hans": (None, "validation", "refs/convert/parquet"),
    "google-research-datasets/paws": ("labeled_final", "test", None),
}
"""Configuration, split and revision that are asked for, by data set."""
ABOUT = {
    "mnli": ["dev-hans is the split validation of jhu-cogsci/hans (", "MIT", "scores 0.5"],
    "qqp": [
        "dev-paws is the split test of google-research-datasets/paws, labeled_final (",
        "Google",
    ],
}


def other_texts(task: str, labels: int = 2) -> Dataset:
    """The task's other texts in small, with columns and features as on the hub."""
    rows = range(12)
    texts = glue.FURTHER[task].texts
    columns: dict[str, Any] = {
        text: [f"flights from town {row} ({text})" for row in rows] for text in texts
    }
    columns |= {"heuristic": ["constituent" for _ in rows], "label": [row % labels for row in rows]}
    names = [*NAMES[task], "other"][:labels]
    features = Features(
        {name: Value("string") for name in columns} | {"label": ClassLabel(names=names)}
    )
    return Dataset.from_dict(columns, features=features)


@pytest.mark.parametrize("task", glue.FURTHER)
def test_other_texts_are_a_further_dev_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    source = toy_hub.glue(tmp_path / "glue")

    def dataset(
        name: str, of: str | None, split: str | None = None, revision: str | None = None
    ) -> object:
        if name in CALLS:
            assert (of, split, revision) == CALLS[name]
            return other_texts(task)
        return load_from_disk(source / str(of))

    monkeypatch.setattr(datasets, "load_dataset", dataset)
    hub.fetch_task(task, "hub", downloaded := tmp_path / task)
    corpus = glue.read_glue(task, downloaded)
    further = glue.FURTHER[task]
    alone = glue.read_glue(task, source / task)
    assert list(corpus) == [*alone, further.split]
    first, second = further.texts
    expected = [(row[first], row[second], row["label"]) for row in other_texts(task)]
    assert [(row.first, row.second, row.label) for row in corpus[further.split]] == expected
    about = json.loads((downloaded / "asset.json").read_text("utf-8"))
    assert all(words in about["notes"][0] for words in ABOUT[task])
    hub.fetch_task(task, str(tmp_path), copied := tmp_path / "copy")
    assert glue.read_glue(task, copied) == corpus


def test_a_third_label_in_hans_is_refused(tmp_path: Path) -> None:
    folder = toy_hub.glue(tmp_path / "glue") / "mnli"
    other_texts("mnli", labels=3).save_to_disk(folder / "hans")
    with pytest.raises(UserError, match=r"hans of mnli: row 3 has the label 2.* from 0 to 1"):
        glue.read_glue("mnli", folder)
