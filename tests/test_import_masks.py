from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lottery import subnetwork
from lottery.errors import UserError
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
