"""Predictions of tickets, pruned and retrained, and the scores that follow from them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

from lottery import records
from lottery.errors import UserError
from lottery.model import checkpoint
from lottery.model.encoder import Encoder
from lottery.model.evaluation import predict
from lottery.model.parameters import FinetuneParameters
from lottery.predictions import Logits, measure, scores
from lottery.runtime.parameters import ComputeParameters
from lottery.runtime.resume import NO_JOURNAL, Journal
from lottery.schemas import Prediction
from lottery.tasks import get_task
from lottery.ticket import FULL, MAJORITY, WORDS, Key, Ticket
from lottery.tickets import measurements, scoring
from lottery.tickets.baselines import predict_baselines
from lottery.tickets.measurements import Measurement
from lottery.tickets.methods import MAGNITUDE, METHODS, STRUCTURED, load_tickets
from lottery.tickets.parameters import RetrainParameters
from lottery.tickets.retraining import Cell, Splits, predict_splits
from lottery.tickets.scoring import Tickets
from tests import toys

COMPUTE = ComputeParameters(threads=64, alone=1, device="cpu", precision="float32")
RTE = get_task("rte")
CONTROLS = toys.controls(random_draws=4, bad_draws=3, matched_draws=2)
RETRAIN = RetrainParameters(
    draws=1, tickets={"magnitude": {"bad": (4,)}}, reinitialised={"structured": (3,)}, kept=(3,)
)
SPLITS = {
    name: toys.sentences(size, size) for name, size in (("dev", 20), ("dev-x", 9), ("select", 10))
}
DRAWN = [key for method in METHODS.values() for key in method.drawn(CONTROLS, RETRAIN)]
PLAN = measurements.of_cell(3, CONTROLS, RETRAIN)


@pytest.fixture
def cell(tmp_path: Path) -> Cell:
    checkpoint.save(toys.encoder(1), tmp_path / "pretrained")
    recipe = FinetuneParameters(epochs=1, batch=8, learning_rate=1e-3, warmup=0.0, clip=1.0)
    return Cell(RTE, 3, tmp_path / "pretrained", toys.sentences(24), recipe, COMPUTE)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    checkpoint.save(toys.encoder(2), tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def tickets(cell: Cell) -> Tickets:
    """Stored tickets of a cell that was never searched: random masks."""
    settings = toys.search_settings(CONTROLS, RETRAIN)
    structured = STRUCTURED.stored(CONTROLS, RETRAIN)
    stored = {key: toys.subnetwork(seed) for seed, key in enumerate(structured)}
    for seed, key in enumerate(MAGNITUDE.stored(CONTROLS, RETRAIN)):
        stored[key] = toys.weights(seed, 0.4 + 0.1 * seed)
    return Tickets(RTE, 3, stored, cell.train, settings)


def predictions(
    cell: Cell,
    model: Path,
    tickets: Tickets,
    plan: Sequence[Measurement] = PLAN,
    journal: Journal = NO_JOURNAL,
) -> list[Prediction]:
    results = scoring.predict_all(cell, model, tickets, plan, SPLITS, lambda *_: None, journal)
    return results.predictions + predict_baselines(cell, plan, SPLITS)


def logits(rows: Sequence[Prediction]) -> dict[tuple[Measurement, str], bytes]:
    """The bytes of all logits, by what they are predictions of and by split."""
    return {
        (
            Measurement(Key(row.method, row.kind, row.draw, row.matched), row.state),
            row.split,
        ): row.logits.tobytes()
        for row in rows
    }


def test_predictions_are_those_of_the_tickets_that_they_name(
    cell: Cell, model: Path, tickets: Tickets
) -> None:
    rows = predictions(cell, model, tickets)
    predicted, encoder = logits(rows), checkpoint.load(model, 2)
    assert len(predicted) == len(rows)
    for (measurement, split), stored in predicted.items():
        if measurement.is_pruned:
            pruned = encoder.pruned(tickets.subnetwork(measurement.key, encoder))
            expected = predict(pruned, SPLITS[split]).astype(np.float16)
            assert stored == expected.tobytes(), measurement.name
    assert all((row.labels == SPLITS[row.split].labels_N).all() for row in rows)


def test_what_is_scored_on_which_split(cell: Cell, model: Path, tickets: Tickets) -> None:
    """Everything on dev; on the others what is not pruned, and the good tickets of the searches."""
    predicted = logits(predictions(cell, model, tickets)).keys()
    assert {measurement for measurement, split in predicted if split == "dev"} == {*PLAN}
    elsewhere = {measurement for measurement, split in predicted if split == "select"}
    assert elsewhere == {measurement for measurement, split in predicted if split == "dev-x"}
    pruned = {measurement.key for measurement in elsewhere if measurement.state == "pruned"}
    assert pruned == {method.good for method in METHODS.values()}
    assert elsewhere >= {measurement for measurement in PLAN if measurement.state != "pruned"}


def test_the_parameters_say_what_is_retrained_with_a_seed() -> None:
    def keys(seed: int, state: str) -> set[Key]:
        plan = measurements.of_cell(seed, CONTROLS, RETRAIN)
        assert len({*plan}) == len(plan)
        return {measurement.key for measurement in plan if measurement.state == state}

    always = {Key(name, kind) for name in METHODS for kind in ("good", "random", "bad")}
    assert keys(4, "retrained") == always
    assert keys(3, "retrained") == always - {Key(MAGNITUDE.name, "bad")}
    assert keys(3, "reinitialised") == {Key("structured", "good")}
    assert not keys(4, "reinitialised")
    assert keys(3, "finetuned") == {FULL, WORDS, MAJORITY}
    assert len(keys(3, "pruned")) == 2 * (1 + 4 + 3 + 1 + 2 * 2) + 1


def test_scores_are_functions_of_the_rounded_logits(
    cell: Cell, model: Path, tickets: Tickets, tmp_path: Path
) -> None:
    rows = predictions(cell, model, tickets)
    records.write(Prediction, rows, tmp_path / "rows.parquet")
    read = records.structs(Prediction, records.read(Prediction, [tmp_path / "rows.parquet"]))
    assert logits(read) == logits(rows)
    recorded = [*scores(read)]
    assert len(recorded) == len(rows) * len(RTE.metrics)
    for row, score in zip(rows, recorded, strict=True):
        rounded_NC = row.logits.astype(np.float64).reshape(-1, 2)
        assert {score.metric: score.value} == measure(RTE, row.split, rounded_NC, row.labels)
        assert score.n == len(SPLITS[row.split])


def test_a_kept_ticket_gives_the_logits_that_were_scored(
    cell: Cell, model: Path, tickets: Tickets, tmp_path: Path
) -> None:
    journal = Journal(tmp_path / "journal")
    for _ in range(2):  # the second time, its weights come from the journal
        results = scoring.predict_all(cell, model, tickets, PLAN, SPLITS, lambda *_: None, journal)
        scored = logits(results.predictions)
        assert results.kept.keys() == {method.good for method in METHODS.values()}
        for key, kept in scoring.trained_tickets(cell, tickets, results):
            checkpoint.save(kept, tmp_path / "kept")
            encoder = checkpoint.load(tmp_path / "kept", 2)
            for name, split in SPLITS.items():
                again = predict(encoder, split).astype(np.float16).tobytes()
                assert again == scored[Measurement(key, "retrained"), name]
    retrain = msgspec.structs.replace(RETRAIN, kept=(4,))
    tickets = replace(tickets, settings=replace(tickets.settings, retrain=retrain))
    assert not scoring.predict_all(cell, model, tickets, PLAN, SPLITS, lambda *_: None).kept


@pytest.mark.parametrize("bad", ["unsurvived", "smallest"])
def test_draws_have_the_size_of_the_good_ticket_and_differ(
    tickets: Tickets, model: Path, bad: str
) -> None:
    controls = msgspec.structs.replace(CONTROLS, bad=bad)
    tickets = replace(tickets, settings=replace(tickets.settings, controls=controls))
    encoder = checkpoint.load(model, 2)
    drawn = {key: tickets.subnetwork(key, encoder) for key in DRAWN}
    for key, kept in drawn.items():
        good = tickets.stored[key.good]
        assert [part.sum() for part in kept.values()] == [part.sum() for part in good.values()] or (
            key.method == MAGNITUDE.name and kept.size == good.size
        )
        assert kept == tickets.subnetwork(key, encoder)
    random = [kept for key, kept in drawn.items() if key.kind == "random"]
    assert len({*random}) == len(random)
    if bad == "unsurvived":
        weights = [kept for key, kept in drawn.items() if key.method == MAGNITUDE.name]
        assert len({*weights}) == len(weights)


def test_nothing_but_last_bits_depends_on_the_division_into_jobs(
    cell: Cell, model: Path, tickets: Tickets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On an Intel Xeon all bits are the same; on an AMD EPYC 2 of 40 predictions have another last one in a logit."""
    plan = [measurement for measurement in PLAN if not measurement.is_trained]
    apart = predictions(cell, model, tickets, plan)
    monkeypatch.setattr(scoring, "PRUNED_JOBS", 1)
    together = predictions(cell, model, tickets, plan)
    assert [*logits(together)] == [*logits(apart)]
    for one, other in zip(together, apart, strict=True):
        np.testing.assert_allclose(one.logits, other.logits, rtol=2e-3, atol=1e-4)


def test_a_resumed_run_gives_the_same_bytes_and_repeats_nothing(
    cell: Cell, model: Path, tickets: Tickets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, evaluated = Journal(tmp_path / "journal"), list[int]()
    whole = predictions(cell, model, tickets, journal=journal)
    entries = sorted((tmp_path / "journal").rglob("*.safetensors"))
    assert len(entries) == len(PLAN) - 2  # baselines take no time
    for entry in entries[::2]:
        entry.unlink()

    def counted(encoder: Encoder, splits: Splits) -> Logits:
        evaluated.append(1)
        return predict_splits(encoder, splits)

    monkeypatch.setattr(scoring, "predict_splits", counted)
    monkeypatch.setattr(scoring, "PRUNED_JOBS", 3)
    resumed = predictions(cell, model, tickets, journal=journal)
    assert len(evaluated) == len(entries[::2])
    assert [*logits(resumed).items()] == [*logits(whole).items()]


def test_predictions_of_a_cell_are_small(tmp_path: Path) -> None:
    """80 rows of 320 examples, more than the default has, as noisy as logits can be."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 320).astype(np.float32)
    rows = [
        Prediction(
            task="sst2",
            seed=1,
            **Key("structured", "random", draw, 0.5)._asdict(),
            state="pruned",
            split="dev",
            logits=rng.normal(size=640).astype(np.float16),
            labels=labels,
        )
        for draw in range(80)
    ]
    records.write(Prediction, rows, tmp_path / "rows.parquet")
    assert (tmp_path / "rows.parquet").stat().st_size < 300_000


def test_a_ticket_of_another_seed_is_refused(tickets: Tickets, tmp_path: Path) -> None:
    for key, kept in tickets.stored.items():
        Ticket("rte", 3, key, kept).save(tmp_path)
    loaded = load_tickets(tmp_path, "rte", 3, CONTROLS, RETRAIN)
    assert {ticket.key: ticket.subnetwork for ticket in loaded} == tickets.stored
    with pytest.raises(UserError, match="holds the ticket"):
        load_tickets(tmp_path, "rte", 4, CONTROLS, RETRAIN)
