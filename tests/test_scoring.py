"""A cell's contest on toy encoders: who competes, and that every score is the one it says it is."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from lottery.model import checkpoint
from lottery.model.evaluation import predict
from lottery.model.parameters import FinetuneParameters
from lottery.runtime.compute import arithmetic
from lottery.runtime.parameters import ComputeParameters
from lottery.seeds import rng
from lottery.subnetwork import Subnetwork
from lottery.tasks import get_task
from lottery.tickets import scoring
from lottery.tickets.importance import gate_gradients
from lottery.tickets.methods import CRITERIA, Search, Setting, prune, save
from lottery.tickets.parameters import (
    ControlsParameters,
    ImportanceParameters,
    MagnitudeParameters,
    PruneParameters,
)
from lottery.tickets.retraining import Cell, finetune_cell, score_splits
from lottery.tickets.scoring import FULL, Entrant
from tests import toys

COMPUTE = ComputeParameters(threads=64, alone=1, device="cpu", precision="float32")
RTE = get_task("rte")


@pytest.fixture
def cell(tmp_path: Path) -> Cell:
    checkpoint.save(toys.encoder(1), tmp_path / "pretrained")
    recipe = FinetuneParameters(epochs=1, batch=8, learning_rate=1e-3, warmup=0.0, clip=1.0)
    return Cell(RTE, 3, tmp_path / "pretrained", toys.sentences(24), recipe, COMPUTE)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    checkpoint.save(toys.encoder(2), tmp_path / "model")
    return tmp_path / "model"


def searched(model: Path, folder: Path, draws: int = 2) -> None:
    how = Setting(
        rule=PruneParameters(
            rate=0.2, threshold=0.5, floor=None, data="select", entry="fresh", curve=True
        ),
        scoring=ImportanceParameters(reduction="example", batch=8, normalise="surviving"),
        weights=MagnitudeParameters(rate=None, biases=False, until=0.6),
        controls=ControlsParameters(draws=draws, random="exact", bad="unsurvived"),
    )
    found = {
        method: prune(
            lambda *_: None, Search(method, RTE, 3, model, toys.sentences(30, 5), how, COMPUTE)
        )
        for method in CRITERIA
    }
    folder.mkdir()
    save(found, RTE, 3, folder)


def test_a_search_and_its_contest_say_who_everything_belongs_to(
    cell: Cell, model: Path, tmp_path: Path
) -> None:
    searched(model, tmp_path / "subnetworks")
    competing = scoring.entrants(tmp_path / "subnetworks", draws=2)
    assert len({str(entrant) for entrant in competing}) == 2 * (1 + 2 + 1)
    sizes = {(e.method, e.subnetwork.size) for e in competing if e.subnetwork is not None}
    assert len(sizes) == 2
    splits, select = {"dev": toys.sentences(20, 7)}, {"select": toys.sentences(10, 8)}
    found = scoring.score_tickets(cell, model, [FULL, *competing], splits, select, lambda *_: None)
    table = {
        (s.method, s.kind, s.draw, s.state, s.split): s.value
        for s in found
        if s.metric == "accuracy"
    }
    assert len(table) == len(found) == 1 + 2 * 8 + 3
    whole = checkpoint.load(model, 2)
    assert (
        table["full", "full", 0, "finetuned", "dev"]
        == score_splits(whole, RTE, splits)["dev"]["accuracy"]
    )
    for entrant in competing:
        assert entrant.subnetwork is not None
        expected = score_splits(whole.cut(entrant.subnetwork), RTE, splits)["dev"]["accuracy"]
        owner = (entrant.method, entrant.kind, entrant.draw)
        assert table[(*owner, "pruned", "dev")] == expected
        assert ((*owner, "pruned", "select") in table) == (entrant.kind == "good")


def test_the_blind_guess_is_the_most_frequent_class(cell: Cell) -> None:
    split = toys.sentences(21, 4)
    (score,) = scoring.majority_baseline(cell, {"dev": split})
    assert (score.kind, score.n) == ("majority", 21)
    assert score.value == max(np.mean(split.labels_N == 0), np.mean(split.labels_N == 1))


def test_super_entrants_are_what_all_seeds_keep_and_as_much_of_what_they_do_not() -> None:
    good = [toys.subnetwork(seed) for seed in range(3)]
    entrants = scoring.super_entrants(good, rng("super", "rte"))
    assert [entrant.kind for entrant in entrants] == ["super", "super-random", "super-bad"]
    survivors = entrants[0].subnetwork
    assert survivors == good[0] & good[1] & good[2]
    for other in entrants[1:]:
        assert other.subnetwork is not None
        for part in good[0]:
            assert other.subnetwork[part].sum() == (good[0] & good[1] & good[2])[part].sum()
    assert isinstance(entrants[0], Entrant)


def test_half_precision_trains_searches_and_scores_nearly_as_float32(
    cell: Cell, model: Path
) -> None:
    half = replace(cell, compute=msgspec.structs.replace(COMPUTE, precision="bfloat16"))
    whole, _ = finetune_cell(lambda *_: None, cell)
    rough, _ = finetune_cell(lambda *_: None, half)
    difference = 0.0
    for name, weight in whole.state_dict().items():
        assert rough.state_dict()[name].dtype == torch.float32
        difference = max(difference, float((weight - rough.state_dict()[name]).abs().max()))
    assert 0 < difference < 2 * 3 * cell.recipe.learning_rate  # three steps of Adam, at most apart
    encoder = checkpoint.load(model, 2)
    examples = toys.sentences(30, 5)
    with arithmetic(half.compute):
        logits = predict(encoder, examples)
        found = gate_gradients(encoder, examples, RTE, Subnetwork.full(encoder.config.shapes))
    np.testing.assert_allclose(logits, predict(encoder, examples), atol=0.1)
    assert np.isfinite(found.gradients["heads"]).all()
