"""The stage `prepare`: what the files of a seed depend on."""

from pathlib import Path

import numpy as np
import pytest

from lottery.data import examples
from lottery.data.rows import Corpus, Row, standardised
from lottery.errors import UserError
from stages import fetch, prepare
from tests import toy_hub
from tests.project import ROOT
from tests.workspace import digests

SPLITS = {"train", "select", "dev"}


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with an encoder and STS-B, a regression, as raw data."""
    toy_hub.glue(tmp_path / "glue", train=90, dev=30)
    toy_hub.bert(tmp_path / "bert")
    monkeypatch.chdir(tmp_path)
    write_parameters([1])
    fetch.main("stsb", Path("asset"))
    return tmp_path


def write_parameters(seeds: list[int]) -> None:
    text = (ROOT / "profiles" / "smoke.yaml").read_text("utf-8")
    changes = {
        "source: packages": "source: glue", "[1337]": str(seeds),
        "select: 24": "select: 6", "dev: 48": "dev: 20",
    }  # fmt: skip
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    Path("params.yaml").write_text(text, encoding="utf-8")


def prepared(*seeds: int) -> dict[str, str]:
    """The digests of all files that the stage writes for a grid of these seeds."""
    write_parameters(list(seeds))
    prepare.main("stsb", Path("asset"), Path("bert"), Path("out"), Path("meta.json"))
    return digests(Path("out"))


def test_a_seed_has_the_same_files_whatever_other_seeds_there_are(inside: Path) -> None:
    one, both, reversed_ = prepared(1), prepared(1, 2), prepared(2, 1)
    assert set(one) == {f"1/{split}.safetensors" for split in SPLITS}
    assert one.items() <= both.items()
    assert both == reversed_


def test_seeds_share_dev_and_differ_in_train_and_select(inside: Path) -> None:
    files = prepared(1, 2)
    same = {
        split: files[f"1/{split}.safetensors"] == files[f"2/{split}.safetensors"]
        for split in SPLITS
    }
    assert same == {"dev": True, "train": False, "select": False}


def test_examples_have_the_split_and_the_scale_of_their_task(inside: Path) -> None:
    prepared(1, 2)
    for split in SPLITS:
        part = examples.load(Path(f"out/1/{split}.safetensors"))
        assert (part.task, part.split) == ("stsb", split)
        assert part.lengths_N.sum() == len(part.ids_T) == len(part.types_T)
    train = examples.load(Path("out/1/train.safetensors"))
    assert abs(train.labels_N.mean()) < 0.5
    assert train.labels_N.std() == pytest.approx(1, abs=0.3)


def corpus(train: list[float], dev: list[float]) -> Corpus:
    splits = {"train": train, "dev": dev}
    return {split: [Row("a", "b", label) for label in labels] for split, labels in splits.items()}


def test_labels_are_standardised_by_mean_and_deviation_of_train() -> None:
    scaled, mean, std = standardised(corpus([0.0, 2.0, 4.0], [4.0]))
    labels = [row.label for row in scaled["train"]]
    assert (mean, std) == pytest.approx((2, (8 / 3) ** 0.5))
    assert (np.mean(labels), np.std(labels)) == pytest.approx((0, 1))
    assert scaled["dev"][0].label * std + mean == pytest.approx(4)


def test_equal_labels_cannot_be_standardised() -> None:
    with pytest.raises(UserError, match=r"all training labels are 2\.0"):
        standardised(corpus([2.0, 2.0], [1.0]))
