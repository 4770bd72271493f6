"""Heads of a toy checkpoint, grouped by given masks."""

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
    for name in ("data/rte/1337", "data/patterns"):
        Path(name).mkdir(parents=True)
    Path("params.yaml").write_text((ROOT / "profiles" / "smoke.yaml").read_text())
    Path("masks.csv").write_text(MASKS)
    checkpoint.save(toys.encoder(), Path("model"))
    examples.save(toys.sentences(6), Path("data/rte/1337/dev.safetensors"))
    classifier.save(classifier.network(), Path("data/patterns/recogniser.safetensors"))
    return tmp_path


def inspect(masks: str = "masks.csv", task: str = "rte") -> None:
    main(task, Path("model"), Path(masks), out=Path("out"))


def test_every_head_is_profiled_and_grouped_by_the_masks(inside: Path) -> None:
    inspect()
    shares = pd.read_csv("out/attention.csv")
    full = shares[(shares["state"] == "finetuned") & (shares["weighting"] == "raw")]
    sizes = full.groupby("group")["n"].first()
    assert sizes.to_dict() == {"all": 12, "super": 6, "never": 4}
    heads = pd.read_parquet("out/heads.parquet")
    pruned = heads[(heads["state"] == "pruned") & (heads["weighting"] == "raw")]
    assert pruned.groupby("seed").size().to_dict() == {1: 8, 2: 6}
    assert set(pd.read_csv("out/correlation.csv")["n"]) == {12}


def test_masks_of_another_shape_or_task_are_refused(inside: Path) -> None:
    Path("other.csv").write_text("task,seed,heads,mlps\nRTE,1,11 11,11\n")
    with pytest.raises(UserError, match="model has"):
        inspect("other.csv")
    with pytest.raises(UserError, match="no masks of"):
        inspect(task="sst2")
    assert not Path("out").exists()
