"""Iterative pruning with rewinding equals a plain loop and resumes between rounds; its claims are as declared."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lottery import params, subnetwork
from lottery.analysis import rewinding as analysis
from lottery.errors import UserError
from lottery.grid import GridParameters
from lottery.model import checkpoint
from lottery.model.dropout import Dropout
from lottery.model.evaluation import predict
from lottery.model.parameters import FinetuneParameters
from lottery.model.training import finetune
from lottery.runtime.parameters import ComputeParameters
from lottery.runtime.resume import Journal
from lottery.tasks import get_task
from lottery.tickets import rewinding, rewinding_controls
from lottery.tickets.parameters import RewindParameters
from lottery.tickets.retraining import Cell, finetune_cell, pretrained
from lottery.tickets.rewinding import Rewinding
from lottery.verification import rewinding as verification
from stages import finetune as finetune_stage
from stages import rewind as rewind_stage
from tests import toy_run, toys

PARAMETERS = RewindParameters(
    tasks=(), seeds=(), rate=0.2, until=0.6, step=0, controls=(0.4,), draws=2
)


def silent(done: int, total: int) -> None:
    """No progress is shown."""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Rewinding:
    root = tmp_path_factory.mktemp("rewinding")
    checkpoint.save(toys.encoder(1), root / "pretrained")
    recipe = FinetuneParameters(epochs=2, batch=8, learning_rate=1e-3, warmup=0.0, clip=1.0)
    compute = ComputeParameters(threads=64, alone=1, device="cpu", precision="float32")
    cell = Cell(get_task("rte"), 3, root / "pretrained", toys.sentences(24), recipe, compute)
    checkpoint.save(finetune_cell(silent, cell)[0], root / "model")
    return Rewinding(cell, root / "model", PARAMETERS, False, {"dev": toys.sentences(20, 5)})


def flat_of(weights: Iterator[torch.Tensor]) -> np.ndarray:
    return np.concatenate([weight.detach().numpy().ravel() for weight in weights])


def test_rounds_equal_a_plain_loop(inputs: Rewinding) -> None:
    """Train the whole model, prune the smallest fifth of the original count, rewind, and so on."""
    cell = inputs.cell
    encoder = pretrained(cell)
    finetune(encoder, cell.train, cell.task, cell.recipe, cell.seed)
    rounds = rewinding.rounds(silent, inputs)
    assert [trained.sparsity for trained in rounds] == pytest.approx([0, 0.2, 0.4, 0.6])
    for number, trained in enumerate(rounds):
        if number:
            flat = np.abs(flat_of(iter(encoder.prunable().values())))
            pruned = np.argsort(flat, kind="stable")[: round(0.2 * number * flat.size)]
            assert np.flatnonzero(~trained.kept.flat).tolist() == sorted(pruned.tolist())
            encoder = pretrained(cell)
            finetune(encoder, cell.train, cell.task, cell.recipe, cell.seed, trained.kept)
        expected = predict(encoder, inputs.splits["dev"]).astype(np.float16)
        np.testing.assert_array_equal(trained.logits["dev"], expected)
    assert all(after.kept <= before.kept for before, after in pairwise(rounds))


@pytest.mark.parametrize(
    ("rate", "until", "controls", "message"),
    [
        (0.1, 0.75, (), "rewind.until = 0.75: expected a multiple of rewind.rate = 0.1"),
        (0.3, 0.5, (), "rewind.until = 0.5: expected a multiple of rewind.rate = 0.3"),
        (0.6, 0.2, (), "rewind.until = 0.2: expected a multiple of rewind.rate = 0.6"),
        (0.2, 0.6, (0.4, 0.4), r"rewind.controls = \[0.4, 0.4\]: a sparsity is repeated"),
        (0.2, 0.6, (0.5,), "rewind.controls: 0.5 is no round"),
        (0.2, 0.6, (0.8,), "rewind.controls: 0.8 is no round"),
    ],
)
def test_rounds_that_do_not_end_where_they_should_are_refused(
    rate: float, until: float, controls: tuple[float, ...], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        RewindParameters(
            tasks=(), seeds=(), rate=rate, until=until, step=0, controls=controls, draws=1
        )


@given(st.integers(2, 50), st.data())
def test_rounds_end_at_the_sparsity_that_is_asked_for(parts: int, data: st.DataObject) -> None:
    last = data.draw(st.integers(1, parts - 1))
    parameters = msgspec.structs.replace(
        PARAMETERS, rate=1 / parts, until=last / parts, controls=()
    )
    assert parameters.rounds == last


def test_a_step_behind_the_last_one_is_refused_before_any_training(inputs: Rewinding) -> None:
    steps = inputs.cell.recipe.steps(24)
    assert steps == 6
    late = replace(inputs, parameters=msgspec.structs.replace(PARAMETERS, step=steps))
    with pytest.raises(
        UserError, match=r"rewind\.step = 6: a training on RTE has 6 steps; choose f"
    ):
        rewinding.rounds(silent, late)


def test_a_killed_search_goes_on_with_the_next_round(
    inputs: Rewinding, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, journal = rewinding.rounds(silent, inputs), Journal(tmp_path)
    short = replace(inputs, parameters=msgspec.structs.replace(PARAMETERS, until=0.4))
    rewinding.rounds(silent, short, journal)
    trainings = []
    monkeypatch.setattr(
        "lottery.tickets.rewinding.finetune", lambda *rest: trainings.append(finetune(*rest))
    )
    resumed = rewinding.rounds(silent, inputs, journal)
    assert len(trainings) == 1
    for before, after in zip(whole, resumed, strict=True):
        assert before.kept == after.kept
        np.testing.assert_array_equal(before.logits["dev"], after.logits["dev"])


def test_rewinding_to_a_step_trains_the_remaining_steps_from_its_weights(inputs: Rewinding) -> None:
    cell = inputs.cell
    late = replace(inputs, parameters=msgspec.structs.replace(PARAMETERS, step=2))
    origin = rewinding.start(silent, late)
    one_epoch = msgspec.structs.replace(cell.recipe, epochs=1)
    assert not torch.equal(origin.pooler.weight, pretrained(cell).pooler.weight)
    whole, halves = pretrained(cell), pretrained(cell)
    # Without dropout, whose random numbers depend on the steps before.
    for module in chain(whole.modules(), halves.modules()):
        if isinstance(module, Dropout):
            module.p = 0.0
    finetune(whole, cell.train, cell.task, one_epoch, cell.seed, span=slice(0, 2))
    finetune(halves, cell.train, cell.task, one_epoch, cell.seed, span=slice(0, 1))
    finetune(halves, cell.train, cell.task, one_epoch, cell.seed, span=slice(1, 2))
    assert not torch.equal(whole.pooler.weight, pretrained(cell).pooler.weight)
    # AdamW starts anew, with its moments and their correction.
    torch.testing.assert_close(whole.pooler.weight, halves.pooler.weight, atol=3e-3, rtol=0)


def test_controls_start_from_the_stored_weights_of_the_rounds(
    inputs: Rewinding, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late, origin = (
        replace(inputs, parameters=msgspec.structs.replace(PARAMETERS, step=2)),
        Journal(tmp_path),
    )
    rounds, spans = rewinding.rounds(silent, late, origin), list[slice]()
    expected = rewinding_controls.control(silent, late, "random", 0, rounds[2])

    def recorded(*arguments: Any) -> list[float]:
        spans.append(arguments[-1])
        return finetune(*arguments)

    monkeypatch.setattr("lottery.tickets.rewinding.finetune", recorded)
    trained = rewinding_controls.control(silent, late, "random", 0, rounds[2], origin)
    assert spans == [slice(2, None)]
    np.testing.assert_array_equal(trained.logits["dev"], expected.logits["dev"])


@pytest.mark.parametrize("name", rewinding_controls.MASKS)
def test_controls_have_the_size_of_the_round(inputs: Rewinding, name: str) -> None:
    good = rewinding.Trained("rewound", 0, 0.4, toys.weights(2, 0.6), {})
    good = replace(good, kept=rewinding.smallest_removed(toys.encoder(5), 0.4, False))
    masks = [rewinding_controls.control_mask(inputs, name, draw, good) for draw in (0, 1)]
    assert {mask.size for mask in masks} == {good.kept.size}
    assert (masks[0] != masks[1]) == (name == "random")
    assert (masks[0] == good.kept) == (name == "reinitialised")


def test_the_plan_has_every_control_of_every_sparsity() -> None:
    assert rewinding_controls.planned(PARAMETERS) == [
        ("random", 0, 2), ("random", 1, 2), ("reinitialised", 0, 2), ("one-shot", 0, 2), ("pretrained", 0, 2),
    ]  # fmt: skip


def test_a_control_between_rounds_is_an_error() -> None:
    with pytest.raises(UserError, match=r"rewind.controls: 0.5 is no round"):
        msgspec.structs.replace(PARAMETERS, controls=(0.5,))


def test_the_stage_writes_what_verification_expects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(toy_run.CHANGES, "  tasks: []", "  tasks: [rte]")
    monkeypatch.setitem(toy_run.CHANGES, "  seeds: []", "  seeds: [1]")
    monkeypatch.setitem(toy_run.CHANGES, "until: 0.7\n  step", "until: 0.2\n  step")
    monkeypatch.setitem(toy_run.CHANGES, "controls: [0.5, 0.7]", "controls: [0.2]")
    monkeypatch.setitem(toy_run.CHANGES, "epochs: 6", "epochs: 1")
    monkeypatch.setattr(toy_run, "_stages", lambda *_: None)
    toy_run.make(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lottery.runtime.parallel.worker_count", lambda _: 1)
    data, encoder, model = Path("data/rte/1"), Path("encoder"), Path("models/rte/1")
    finetune_stage.main("rte", 1, data, encoder, model)
    table, masks = Path("scores/rte/1/rewind.parquet"), Path("rewound/rte/1")
    rewind_stage.main("rte", 1, data, encoder, model, table, masks)
    run, parameters = (
        toy_run.run(Path()),
        params.section(RewindParameters, params.read(Path("params.yaml"))),
    )

    def findings() -> list[str]:
        found = verification.rewound(run, parameters, Path("rewound"), biases=False)
        return [finding for finding in found if finding is not None]

    assert not findings()
    kept, identity = subnetwork.load(masks / "2.safetensors")
    (~kept).save(masks / "2.safetensors", **identity)
    changed = str(findings())
    assert "weights, expected" in changed
    assert "keeps what was pruned before" in changed
    grid = GridParameters(tasks=("rte",), seeds=(1, 2), shares=(1,))
    cells = pd.DataFrame({"task": "rte", "seed": [1, 2], "sound": True})
    scores = analysis.gather(grid, parameters, Path("scores"))
    rounds = analysis.tables(scores, cells)["rewinding"]
    assert set(rounds["n"]) == {1}
