"""Claims about single masks compare those of the size that their search left."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from lottery.analysis import frames
from tests.records import ToyExperiment, analysed


def test_pairs_that_random_masks_win_are_of_the_size_of_the_search(tmp_path: Path) -> None:
    tasks, seeds = ("sst2", "stsb"), (1, 2)
    analysed(ToyExperiment(tasks, seeds), tmp_path)
    tables = frames.Tables(tmp_path / "reports" / "tables")
    draws, cells = tables["draws"], tables["verdict-cells"]
    searched = draws[draws["matched"].isna() & (draws["method"] == "structured")]
    shares = searched.groupby(["task", "seed", "kind"])["share"].agg(np.array)
    effects = cells[cells["claim"] == "P2"].set_index(["task", "seed"])["effect"]
    for task, seed in product(tasks, seeds):
        random, bad = (shares[task, seed, kind] for kind in ("random", "bad"))
        wins = np.sign(random[:, None] - bad).mean() / 2
        assert effects[task, seed] == pytest.approx(wins, abs=1e-5)
