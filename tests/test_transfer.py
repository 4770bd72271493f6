"""Transferred masks are what their sources keep, are trained as any ticket is, and their gains are differences."""

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lottery import params, records
from lottery.analysis import transfer as analysis
from lottery.analysis.frames import rows
from lottery.data import examples
from lottery.errors import UserError
from lottery.grid import GridParameters
from lottery.model import checkpoint
from lottery.model.evaluation import predict
from lottery.model.parameters import FinetuneParameters
from lottery.params import Sections
from lottery.report import markdown
from lottery.report.blocks import Document
from lottery.report.figures.transfer import transfer_matrices
from lottery.report.material import Material
from lottery.report.provenance import Provenance
from lottery.report.sections import transfer as section
from lottery.subnetwork import Subnetwork
from lottery.ticket import Ticket
from lottery.tickets import transferred_masks
from lottery.tickets.methods import METHODS, STRUCTURED
from lottery.tickets.retraining import finetune_cell
from lottery.tickets.transfer import OTHERS, PRETRAINED, TransferParameters, TransferScore
from lottery.verification import transfer as verification
from stages import transfer as stage
from stages.shell import cells
from tests import toy_run, toys
from tests.project import ROOT

TASKS = ("rte", "mrpc")
PARAMETERS = TransferParameters(tasks=TASKS)


def ticket(method: str, seed: int) -> Subnetwork:
    return toys.subnetwork(seed) if method == STRUCTURED.name else toys.weights(seed, 0.6)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two tasks that is as far as its tickets, which are random."""
    root = tmp_path_factory.mktemp("transfer")
    text = (ROOT / "profiles" / "smoke.yaml").read_text("utf-8")
    changes = {
        "  tasks: [sst2]": "  tasks: [rte, mrpc]", "seeds: [1337]": "seeds: [3]",
        "transfer:\n  tasks: []": "transfer:\n  tasks: [rte, mrpc]",
    }  # fmt: skip
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new, 1)
    (root / "params.yaml").write_text(text, encoding="utf-8")
    checkpoint.save(toys.encoder(1), root / "encoder")
    for number, task in enumerate(TASKS):
        (data := root / "data" / task / "3").mkdir(parents=True)
        examples.save(toys.sentences(24, number), data / "train.safetensors")
        examples.save(toys.sentences(20, 5), data / "dev.safetensors")
        for method in METHODS.values():
            kept = ticket(method.name, number)
            Ticket(task, 3, method.good, kept).save(root / "subnetworks" / task / "3")
    return root


@pytest.fixture
def inside(run: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(run)
    monkeypatch.setattr("lottery.runtime.parallel.worker_count", lambda _: 1)
    return run


def inputs_of(run: Path) -> transferred_masks.Transfer:
    data = run / "data" / "rte" / "3"
    cell = cells.cell("rte", 3, data, run / "encoder")
    good = transferred_masks.load_good(run / "subnetworks", PARAMETERS, 3)
    settings = toy_run.run(run).settings
    return transferred_masks.Transfer(cell, good, PARAMETERS, settings, examples.load_scored(data))


@given(st.data())
def test_no_component_that_fewer_keep_is_preferred(draw: st.DataObject) -> None:
    seeds = draw.draw(st.lists(st.integers(0, 99), min_size=1, max_size=4))
    good, others = toys.subnetwork(draw.draw(st.integers(0, 99))), [*map(toys.subnetwork, seeds)]
    kept = transferred_masks.most_frequent(good, others, np.random.default_rng(0))
    for part, mask in kept.items():
        counts = np.sum([other[part] for other in others], axis=0)
        assert mask.sum() == good[part].sum()
        if mask.any() and not mask.all():
            assert counts[mask].min() >= counts[~mask].max()


def test_masks_are_those_of_their_sources(inside: Path) -> None:
    inputs = inputs_of(inside)
    masks = {
        (mask.method, mask.source, mask.kind): mask for mask in transferred_masks.masks(inputs)
    }
    for method in METHODS.values():
        own, other = (inputs.good[task, method.name] for task in TASKS)
        assert masks[method.name, "rte", "mask"].kept == own
        assert masks[method.name, "mrpc", "mask"].kept == other
        for source in PARAMETERS.sources(method):
            mask, random = (masks[method.name, source, kind].kept for kind in ("mask", "random"))
            sizes = [part.size for part in method.by_unit(mask).values()]
            assert sizes == [part.size for part in method.by_unit(random).values()]
            assert mask.size == (other if source == "mrpc" else own).size or source == PRETRAINED
    by_weights = masks["magnitude", PRETRAINED, "mask"].kept
    prunable = toys.encoder(1).prunable()
    flat = np.concatenate([w.detach().abs().numpy().ravel() for w in prunable.values()])
    smallest = np.argsort(flat, kind="stable")[: by_weights.total - by_weights.size]
    assert np.flatnonzero(~by_weights.flat).tolist() == sorted(smallest.tolist())
    assert (STRUCTURED.name, PRETRAINED, "mask") not in masks


def test_the_stage_trains_as_any_ticket_is_trained_and_verification_agrees(inside: Path) -> None:
    inputs, table = inputs_of(inside), Path("scores/rte/3/transfer.parquet")
    for task in TASKS:
        out = Path(f"scores/{task}/3/transfer.parquet")
        stage.main(task, 3, Path(f"data/{task}/3"), Path("encoder"), Path("subnetworks"), out)
    scores = records.structs(TransferScore, records.read(TransferScore, [table]))
    encoder, _ = finetune_cell(lambda *_: None, inputs.cell, inputs.good["mrpc", "structured"])
    logits_NC = predict(encoder, inputs.splits["dev"]).astype(np.float16)
    labels_N = inputs.splits["dev"].labels_N
    row = next(row for row in scores if (row.method, row.source) == ("structured", "mrpc"))
    assert (row.kind, row.split, row.metric) == ("mask", "dev", "accuracy")
    assert row.value == (logits_NC.argmax(axis=1) == labels_N).mean()
    assert not findings(inside)
    good = Ticket.load(Path("subnetworks/rte/3"), "rte", 3, STRUCTURED.good)
    Ticket("rte", 3, good.key, ~good.subnetwork).save(Path("subnetworks/rte/3"))
    assert "structured mask of rte, accuracy: 1 scores of a mask that has 0" in str(
        findings(inside)
    )
    good.save(Path("subnetworks/rte/3"))


def findings(run: Path) -> list[str]:
    finished = toy_run.run(run)
    recipe = params.section(FinetuneParameters, params.read(run / "params.yaml"))
    checked = verification.transferred(finished, PARAMETERS, recipe)
    return [finding for finding in checked if finding is not None]


def toy_scores(gains: Mapping[str, float], metric: str = "accuracy") -> pd.DataFrame:
    """Scores of STS-B or RTE and MRPC with three seeds: 0.5 under random masks, as much more under masks as stated."""
    values = [
        (task, seed, "structured", source, kind, "", 0.4, "dev", metric, 0.5 + gain, 100)
        for task in (("stsb",) if metric == "pearson" else TASKS)
        for seed in range(3)
        for source, stated in gains.items()
        for kind, gain in (("mask", stated + 0.01 * seed), ("random", 0.0))
    ]
    return pd.DataFrame(values, columns=TransferScore.__struct_fields__)


def made(scores: pd.DataFrame, unsound: str = "") -> dict[str, pd.DataFrame]:
    """The tables of scores whose cells are sound, but for those of a task."""
    cells = scores[["task", "seed"]].drop_duplicates()
    return analysis.tables(scores, cells.assign(sound=cells["task"] != unsound))


def test_cells_that_are_not_sound_are_in_no_table() -> None:
    scores = toy_scores({"rte": 0.3, "mrpc": 0.1, OTHERS: 0.0})
    task = scores["task"].iloc[0]
    assert task not in set(made(scores, unsound=task)["transfer"]["task"])
    alone = made(scores[scores["task"] == task], unsound=task)
    assert [len(table) for table in alone.values()] == [0, 0]


def test_gains_are_differences_from_random_masks() -> None:
    tables = made(toy_scores({"rte": 0.3, "mrpc": 0.1, OTHERS: 0.0}))
    gains = {(row.source, row.task): row for row in rows(tables["transfer"])}
    assert gains["rte", "mrpc"].mean == pytest.approx(0.31)
    assert gains["rte", "mrpc"].n == 3
    assert gains["rte", "rte"].score == pytest.approx(0.81)
    assert gains[OTHERS, "rte"].low < 0.01 < gains[OTHERS, "rte"].high
    means = tables["transfer-means"].set_index("origin")["mean"]
    assert means.to_dict() == pytest.approx({"own": 0.21, "another": 0.21, OTHERS: 0.01})


def test_a_mask_without_a_correlation_counts_as_a_guess() -> None:
    scores = toy_scores({"stsb": np.nan}, "pearson")
    gains = made(scores)["transfer"]
    assert gains["mean"].tolist() == pytest.approx([-0.5])


def test_the_report_shows_gains_or_nothing() -> None:
    titles = pd.DataFrame({"task": TASKS, "title": ["RTE", "MRPC"], "metric": 2 * ["accuracy"]})
    tables = made(toy_scores({"rte": 0.3, "mrpc": 0.1, OTHERS: -0.2}))
    shown = Material(
        {"tasks": titles, **tables}, {}, Sections([]), "figures", cast(Provenance, None), None
    )
    text = markdown.render(Document("", list(section.transfer(shown)), []))
    assert "| s-pruning | another task" in text
    assert "figures/transfer.png" in text
    figure = transfer_matrices(tables["transfer"], titles)
    assert {label.get_text().split("\n")[0] for label in figure.axes[0].texts} >= {"0.31", "0.11"}
    nothing = Material({"tasks": titles}, {}, Sections([]), "figures", cast(Provenance, None), None)
    assert not list(section.transfer(nothing))
    grid = GridParameters(tasks=TASKS, seeds=(1,), shares=(1,))
    assert not made(analysis.gather(grid, TransferParameters(tasks=()), Path("nowhere")))


@pytest.mark.parametrize("tasks", [("rte",), ("rte", "rte")])
def test_transfer_needs_several_tasks(tasks: tuple[str, ...]) -> None:
    with pytest.raises(UserError, match=r"transfer.tasks: rte"):
        TransferParameters(tasks=tasks)
