"""Masks of others on a checkpoint: every head is looked at, and grouped as the masks say."""

from pathlib import Path

import pandas as pd
import pytest

from lottery.attention import classifier
from lottery.data import examples
from lottery.errors import UserError
from lottery.model import checkpoint
from tests import toys
from tests.project import ROOT
from tools.inspect_heads import main

MASKS = "task,seed,heads,mlps\nRTE,1,1100 1111 0011,111\nRTE,2,1000 1110 0011,101\n"


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("data", "patterns"):
        Path(name).mkdir()
    Path("params.yaml").write_text((ROOT / "profiles" / "smoke.yaml").read_text())
    Path("masks.csv").write_text(MASKS)
    checkpoint.save(toys.encoder(), Path("model"))
    examples.save(toys.sentences(6), Path("data/dev.safetensors"))
    classifier.save(classifier.network(), Path("patterns/recogniser.safetensors"))
    return tmp_path


def look(masks: str = "masks.csv", task: str = "rte") -> None:
    main(Path(masks), task, Path("model"), Path("data"), Path("patterns"), Path("out"))


def test_every_head_is_seen_and_grouped_by_the_masks(inside: Path) -> None:
    look()
    shares = pd.read_csv("out/attention.csv")
    seen = shares[(shares["state"] == "finetuned") & (shares["weighting"] == "raw")]
    sizes = seen.groupby("group")["n"].first()
    assert sizes.to_dict() == {"all": 12, "super": 6, "never": 4}
    heads = pd.read_parquet("out/heads.parquet")
    kept = heads[(heads["state"] == "pruned") & (heads["weighting"] == "raw")]
    assert kept.groupby("seed").size().to_dict() == {1: 8, 2: 6}
    assert set(pd.read_csv("out/correlation.csv")["n"]) == {12}


def test_what_does_not_fit_is_a_fault(inside: Path) -> None:
    Path("other.csv").write_text("task,seed,heads,mlps\nRTE,1,11 11,11\n")
    with pytest.raises(UserError, match="model has"):
        look("other.csv")
    with pytest.raises(UserError, match="no masks of"):
        look(task="sst2")
    assert not Path("out").exists()
