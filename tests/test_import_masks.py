from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lottery import subnetwork
from lottery.errors import UserError
from lottery.subnetwork import Subnetwork
from tools.import_masks import main

NAMES = {
    "surviving_mean", "surviving_std", "super_survivors", "never_survivors", "share_mixed",
    "share_std_in_045_055", "fleiss_kappa", "krippendorff_alpha", "jaccard_mean", "jaccard_chance",
    "cochran_q", "cochran_df", "cochran_p",
}  # fmt: skip


@pytest.fixture
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, rows: str) -> Path:
    path.write_text(f"task,seed,heads,mlps\n{rows}", encoding="utf-8")
    return path


def test_import_writes_subnetworks_tables_and_figures(inside: Path) -> None:
    source = write(inside / "masks.csv", "a,1,110 001,10\na,2,111 000,11\nb,2,100 111,01\n")
    main(source, inside / "out")
    out = inside / "out"
    stability = pd.read_csv(out / "stability.csv").set_index(["task", "unit", "statistic"])["value"]
    assert set(stability.index.unique("statistic")) >= NAMES
    assert stability["a", "heads", "surviving_mean"] == 3
    assert stability["a", "heads", "super_survivors"] == 2
    assert stability["a", "heads", "jaccard_mean"] == 0.5
    assert np.isnan(stability["b", "heads", "surviving_std"])
    overlap = pd.read_csv(out / "overlap.csv")
    assert list(overlap) == [
        "task_a", "task_b", "unit", "shared_mean", "shared_std", "shared_expected",
    ]  # fmt: skip
    assert overlap.set_index("unit")["shared_mean"].to_dict() == {"heads": 1, "mlps": 1}
    assert overlap.set_index("unit")["shared_expected"].to_dict() == {"heads": 2, "mlps": 1}
    assert overlap["shared_std"].isna().all()
    kept, identity = subnetwork.load(out / "subnetworks/a/1/structured/good.safetensors")
    assert kept["heads"].tolist() == [[True, True, False], [False, False, True]]
    key = {"method": "structured", "kind": "good", "draw": 0, "matched": None}
    assert identity == {"task": "a", "seed": 1, **key}
    assert all((out / name).stat().st_size for name in ("survival.png", "overlap.png"))


@pytest.mark.parametrize("rows", ["a,1,11 11,11\n", "a,1,00 00,00\na,2,00 00,00\n"])
def test_one_seed_or_empty_masks_leave_statistics_empty(inside: Path, rows: str) -> None:
    main(write(inside / "masks.csv", rows), inside / "out")
    stability = pd.read_csv(inside / "out" / "stability.csv").set_index(["unit", "statistic"])[
        "value"
    ]
    assert np.isnan(stability["heads", "fleiss_kappa"])
    assert pd.read_csv(inside / "out" / "overlap.csv").empty


def test_import_replaces_only_an_earlier_import(inside: Path) -> None:
    source = write(inside / "masks.csv", "a,1,11 10,11\n")
    main(source, inside / "out")
    main(source, inside / "out")
    with pytest.raises(UserError, match="contains other files"):
        main(source, inside)
    assert source.exists()


def good(out: Path, task: str = "SST-2", seed: int = 1) -> Subnetwork:
    return subnetwork.load(out / f"subnetworks/{task}/{seed}/structured/good.safetensors")[0]


def test_where_only_heads_were_pruned_all_mlps_are_kept(inside: Path) -> None:
    heads = np.array([[1, 0], [0, 1], [1, 1]])
    (inside / "npy/SST-2/seed_1").mkdir(parents=True)
    np.save(inside / "npy/SST-2/seed_1/head_mask.npy", heads)
    (inside / "words.csv").write_text("task,seed,heads\nSST-2,1,10 01 11\n")
    rows = [
        f"SST-2,1,{layer},head,{head},{bool(kept)}" for (layer, head), kept in np.ndenumerate(heads)
    ]
    table = "\n".join(["task,seed,layer,head_or_mlp,component,kept", *rows, ""])
    (inside / "components.csv").write_text(table)
    for source in ("npy", "words.csv", "components.csv"):
        main(inside / source, inside / f"out {source}")
        kept = good(inside / f"out {source}")
        assert kept["heads"].tolist() == heads.astype(bool).tolist()
        assert kept["mlps"].tolist() == [True] * 3


def test_a_seed_that_is_there_twice_or_an_unknown_word_is_refused(inside: Path) -> None:
    for seed in ("seed_1", "seed_01"):
        (inside / "npy/SST-2" / seed).mkdir(parents=True)
        np.save(inside / "npy/SST-2" / seed / "head_mask.npy", np.ones((2, 2)))
    (inside / "twice.csv").write_text("task,seed,heads\na,1,1\na,01,1\n")
    head = "task,seed,layer,head_or_mlp,component,kept"
    (inside / "word.csv").write_text(f"{head}\na,1,0,head,0,yes\n")
    rows = "a,1,0,head,0,1\na,1,0,mlp,0,1\na,1,0,mlp,1,1\n"
    (inside / "wide.csv").write_text(f"{head}\n{rows}")
    (inside / "mlps/a/seed_1").mkdir(parents=True)
    for source, message in (
        ("npy", "SST-2 seed 1 more than once"),
        ("twice.csv", "a seed 1 more than once"),
        ("word.csv", "kept is 'yes'; expected 1 or True"),
        ("wide.csv", "more than one MLP"),
        ("mlps", r"head_mask\.npy: missing"),
    ):
        with pytest.raises(UserError, match=message):
            main(inside / source, inside / "out")
        assert not (inside / "out").exists()
