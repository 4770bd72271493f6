"""Searches and scores of toy encoders: every score belongs to the ticket that it names."""

from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from lottery.errors import UserError
from lottery.model import checkpoint
from lottery.model.evaluation import predict
from lottery.model.parameters import FinetuneParameters
from lottery.runtime.compute import arithmetic
from lottery.runtime.parameters import ComputeParameters
from lottery.seeds import rng
from lottery.subnetwork import Subnetwork
from lottery.tasks import get_task
from lottery.ticket import Ticket
from lottery.tickets import scoring
from lottery.tickets.importance import gate_gradients
from lottery.tickets.methods import METHODS, load_tickets
from lottery.tickets.parameters import (
    ControlsParameters,
    ImportanceParameters,
    MagnitudeParameters,
    PruneParameters,
)
from lottery.tickets.pruner import SearchSettings
from lottery.tickets.pruning import Search, prune, save
from lottery.tickets.retraining import Cell, finetune_cell, score_splits
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
    settings = SearchSettings(
        prune=PruneParameters(
            rate=0.2, threshold=0.5, floor=None, data="select", entry="fresh", curve=True
        ),
        controls=ControlsParameters(draws=draws, random="exact", bad="unsurvived"),
        sections={
            ImportanceParameters: ImportanceParameters(
                reduction="example", batch=8, normalise="surviving"
            ),
            MagnitudeParameters: MagnitudeParameters(rate=None, biases=False, until=0.6),
        },
    )
    examples = toys.sentences(30, 5)
    results = [
        prune(lambda *_: None, Search(method, RTE, 3, model, examples, settings, COMPUTE))
        for method in METHODS.values()
    ]
    save(results, folder)


def test_every_score_belongs_to_its_ticket(cell: Cell, model: Path, tmp_path: Path) -> None:
    searched(model, tmp_path / "subnetworks")
    tickets = load_tickets(tmp_path / "subnetworks", "rte", 3, draws=2)
    assert len({ticket.name for ticket in tickets}) == 2 * (1 + 2 + 1)
    assert len({(ticket.method, ticket.subnetwork.size) for ticket in tickets}) == 2
    splits, select = {"dev": toys.sentences(20, 7)}, {"select": toys.sentences(10, 8)}
    full_model = checkpoint.load(model, 2)
    full = Ticket.whole("rte", 3, full_model.config.shapes)
    scores = scoring.score_tickets(cell, model, [full, *tickets], splits, select, lambda *_: None)
    accuracy = {
        (score.method, score.kind, score.draw, score.state, score.split): score.value
        for score in scores
        if score.metric == "accuracy"
    }
    assert len(accuracy) == len(scores) == 1 + 2 * 8 + 3
    assert (
        accuracy["full", "full", 0, "finetuned", "dev"]
        == score_splits(full_model, RTE, splits)["dev"]["accuracy"]
    )
    for ticket in tickets:
        pruned = full_model.cut(ticket.subnetwork)
        expected = score_splits(pruned, RTE, splits)["dev"]["accuracy"]
        assert accuracy[(*ticket.key, "pruned", "dev")] == expected
        assert ((*ticket.key, "pruned", "select") in accuracy) == (ticket.kind == "good")


def test_a_ticket_of_another_seed_is_refused(model: Path, tmp_path: Path) -> None:
    searched(model, tmp_path / "subnetworks")
    with pytest.raises(UserError, match="holds the ticket"):
        load_tickets(tmp_path / "subnetworks", "rte", 4, draws=2)


def test_the_majority_baseline_is_the_share_of_the_most_frequent_class(cell: Cell) -> None:
    split = toys.sentences(21, 4)
    (score,) = scoring.majority_baseline(cell, {"dev": split})
    assert (score.kind, score.n) == ("majority", 21)
    assert score.value == max(np.mean(split.labels_N == 0), np.mean(split.labels_N == 1))


def test_super_tickets_keep_what_every_seed_keeps_and_controls_of_that_size() -> None:
    masks = [toys.subnetwork(seed) for seed in range(3)]
    good = [
        toys.good_ticket("rte", seed, mask["heads"], mask["mlps"])
        for seed, mask in enumerate(masks)
    ]
    survivors, *controls = scoring.super_tickets(good, 1, rng("super", "rte"))
    assert survivors.kind == "super"
    assert [ticket.kind for ticket in controls] == ["super-random", "super-bad"]
    assert survivors.subnetwork == masks[0] & masks[1] & masks[2]
    for control in controls:
        for part, kept in survivors.subnetwork.items():
            assert control.subnetwork[part].sum() == kept.sum()


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
