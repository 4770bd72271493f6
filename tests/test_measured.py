"""Measured times on the card of the model that was measured, and on no other."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from lottery.errors import UserError
from lottery.export import measured
from lottery.export.size import sparsity
from lottery.export.trained import Spelling, TrainedModel
from lottery.subnetwork import Subnetwork
from lottery.tasks import get_task
from lottery.ticket import FULL, Key
from tests import toys


@pytest.fixture
def model() -> TrainedModel:
    subnetwork = toys.subnetwork(1)
    encoder = toys.encoder().extract(subnetwork)
    return TrainedModel(
        task=get_task("rte"),
        seed=1,
        key=Key("structured", "good"),
        subnetwork=subnetwork,
        encoder=encoder,
        tokenizer={},
        dev=toys.sentences(4),
        about={},
    )


def measure(model: TrainedModel, file: Path) -> None:
    """A table of two programs for this model."""
    identity = {"task": model.task.name, "seed": model.seed, **model.key._asdict()}
    size = {"prunable": 1_000_000, "left": round(1_000_000 * (1 - sparsity(model)))}
    about = {"tokens": 16, "rounds": 20, "machine": "a toy"}
    times = {("onnxruntime", 1): 2.5, ("onnxruntime", 32): 70, ("int8", 1): 1.25, ("int8", 32): 30}
    pd.DataFrame(
        identity | size | about | {"program": program, "batch": batch, "ms": ms}
        for (program, batch), ms in times.items()
    ).to_csv(file, index=False)


def test_times_are_shown_by_program_and_batch(tmp_path: Path, model: TrainedModel) -> None:
    measure(model, tmp_path / "speed.csv")
    table = measured.times(model, tmp_path / "speed.csv")
    assert table is not None
    assert table.header == ["program", "1 example", "32 examples"]
    rows = [[getattr(entry, "text", entry) for entry in row] for row in table.rows]
    assert rows == [["onnxruntime", "2.5", "70.0"], ["int8", "1.2", "30.0"]]
    assert "16 tokens, on one thread of a toy: medians over 20 rounds" in table.caption


def test_times_of_other_models_are_not_shown(tmp_path: Path, model: TrainedModel) -> None:
    file = tmp_path / "speed.csv"
    assert measured.times(model, file) is None
    measure(model, file)
    whole = Subnetwork.full(model.subnetwork.shapes)
    others = [
        replace(model, seed=2),
        replace(model, task=get_task("sst2")),
        replace(model, key=FULL, subnetwork=whole, encoder=toys.encoder()),
        replace(model, encoder=toys.encoder().extract(toys.subnetwork(3))),
        replace(model, spelling=Spelling(10, 50, {})),
    ]
    assert [measured.times(other, file) for other in others] == [None] * len(others)


def renamed(column: str) -> Callable[[Path], None]:
    return lambda file: pd.read_csv(file).rename(columns={column: "x"}).to_csv(file, index=False)


def filled(column: str, value: str | None) -> Callable[[Path], None]:
    return lambda file: pd.read_csv(file).assign(**{column: value}).to_csv(file, index=False)


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(b"\xff\xfe\x00"),
        lambda file: file.write_text('task,seed\n"rte,1\n'),
        lambda file: file.write_text("<<<<<<< HEAD\n" + file.read_text()),
        lambda file: file.write_text(file.read_text() + file.read_text().split("\n", 1)[1]),
        filled("ms", "quick"),
        filled("tokens", None),
        *map(renamed, measured.COLUMNS),
    ],
)
def test_a_damaged_table_is_refused_in_one_line(
    tmp_path: Path, model: TrainedModel, damage: Callable[[Path], object]
) -> None:
    file = tmp_path / "speed.csv"
    measure(model, file)
    damage(file)
    with pytest.raises(UserError, match=r"^[^\n]*speed\.csv: not a table of times[^\n]*$"):
        measured.times(model, file)
