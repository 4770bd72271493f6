from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lottery.analysis import published_masks
from lottery.errors import UserError
from lottery.ticket import Ticket
from tests import toys

PUBLISHED = Path(__file__).parents[1] / "published" / "masks.csv"


def toy_tickets(heads_SLH: np.ndarray, mlps_SL: np.ndarray) -> list[Ticket]:
    return [
        toys.good_ticket("toy", seed, heads, mlps)
        for seed, (heads, mlps) in enumerate(zip(heads_SLH, mlps_SL, strict=True))
    ]


def digits(bits: object) -> str:
    return "".join(map(str, np.asarray(bits, int)))


def by_subnetwork(tickets: list[Ticket]) -> pd.DataFrame:
    rows = [
        (
            ticket.task,
            ticket.seed,
            " ".join(map(digits, ticket.subnetwork["heads"])),
            digits(ticket.subnetwork["mlps"]),
        )
        for ticket in tickets
    ]
    return pd.DataFrame(rows, columns=["task", "seed", "heads", "mlps"])


def by_component(tickets: list[Ticket]) -> pd.DataFrame:
    rows = [
        (ticket.task, ticket.seed, layer, unit, component[0] if component else 0, int(kept))
        for ticket in tickets
        for unit, part in (("head", "heads"), ("mlp", "mlps"))
        for (layer, *component), kept in np.ndenumerate(ticket.subnetwork[part])
    ]
    return pd.DataFrame(rows, columns=["task", "seed", "layer", "head_or_mlp", "component", "kept"])


def save_folders(tickets: list[Ticket], root: Path) -> None:
    for ticket in tickets:
        folder = root / ticket.task / f"seed_{ticket.seed}"
        folder.mkdir(parents=True)
        np.save(folder / "head_mask.npy", ticket.subnetwork["heads"].astype(float))
        np.save(folder / "mlp_mask.npy", ticket.subnetwork["mlps"].astype(float))


@settings(max_examples=20)
@given(st.data(), st.integers(1, 3), st.integers(1, 4), st.integers(1, 13))
def test_all_layouts_are_read_as_the_same_tickets(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, seeds: int, layers: int, heads: int
) -> None:  # fmt: skip
    root = tmp_path_factory.mktemp("layouts")
    tickets = toy_tickets(
        data.draw(arrays(bool, (seeds, layers, heads))), data.draw(arrays(bool, (seeds, layers)))
    )
    by_subnetwork(tickets).to_csv(root / "subnetworks.csv", index=False)
    shuffled = by_component(tickets).sample(frac=1, random_state=0)
    shuffled.to_csv(root / "components.csv", index=False)
    save_folders(tickets, root / "masks" / "heads_mlps")
    for source in (root / "subnetworks.csv", root, root / "masks" / "heads_mlps"):
        assert published_masks.read(source) == tickets
    from_components = published_masks.read(root / "components.csv")
    assert sorted(from_components, key=lambda ticket: ticket.seed) == tickets


@pytest.fixture
def tickets() -> list[Ticket]:
    return toy_tickets(np.ones((2, 3, 4), bool), np.zeros((2, 3), bool))


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("kept", "2", "values other than 0"),
        ("kept", "yes", "kept is 'yes'"),
        ("head_or_mlp", "neuron", "'neuron'"),
        ("layer", "7", "lacks components"),
        ("component", "1", "more than once"),
        ("seed", "x", "column seed"),
        ("task", "../up", "not a valid task name"),
    ],
)
def test_invalid_rows_are_reported(
    tmp_path: Path, tickets: list[Ticket], column: str, value: str, message: str
) -> None:
    table = by_component(tickets).astype(str)
    table.loc[0, column] = value
    if column == "task":
        table["task"] = value
    table.to_csv(tmp_path / "invalid.csv", index=False)
    with pytest.raises(UserError, match=message):
        published_masks.read(tmp_path / "invalid.csv")


def test_a_table_with_other_columns_is_refused_with_the_expected_ones(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match="expected task, seed, layer"):
        published_masks.read(tmp_path / "other.csv")


def test_missing_sources_and_masks_and_empty_folders_are_user_errors(
    tmp_path: Path, tickets: list[Ticket]
) -> None:
    with pytest.raises(UserError, match="no such file"):
        published_masks.read(tmp_path / "nowhere")
    with pytest.raises(UserError, match="seed_<seed>"):
        published_masks.read(tmp_path)
    save_folders(tickets, tmp_path)
    (tmp_path / "toy" / "seed_1" / "mlp_mask.npy").unlink()
    with pytest.raises(UserError, match=r"seed_1/mlp_mask\.npy: missing"):
        published_masks.read(tmp_path)


def test_pickled_arrays_are_refused(tmp_path: Path, tickets: list[Ticket]) -> None:
    save_folders(tickets, tmp_path)
    np.save(tmp_path / "toy/seed_0/head_mask.npy", np.array([{}], object))
    with pytest.raises(UserError, match="no readable array"):
        published_masks.read(tmp_path)


def test_masks_of_different_encoders_are_refused(tmp_path: Path, tickets: list[Ticket]) -> None:
    smaller = toys.good_ticket("other", 0, np.ones((2, 4), bool), np.ones(2, bool))
    save_folders([*tickets, smaller], tmp_path)
    with pytest.raises(UserError, match="one encoder at a time"):
        published_masks.read(tmp_path)


def test_published_masks_have_the_published_sizes() -> None:
    tickets = published_masks.read(PUBLISHED)
    sizes = pd.DataFrame(
        [
            (ticket.task, ticket.subnetwork["heads"].sum(), ticket.subnetwork["mlps"].sum())
            for ticket in tickets
        ],
        columns=["task", "heads", "mlps"],
    )
    assert len(tickets) == 45
    means = sizes.groupby("task").mean()
    assert means["heads"].to_dict() == pytest.approx(
        {
            "CoLA": 92.2, "MNLI": 95.0, "MRPC": 89.4, "QNLI": 85.2, "QQP": 78.2, "RTE": 74.0,
            "SST-2": 67.0, "STS-B": 76.8, "WNLI": 28.8,
        }
    )  # fmt: skip
    assert means["mlps"].to_dict() == pytest.approx(
        {
            "CoLA": 10.8, "MNLI": 8.4, "MRPC": 9.2, "QNLI": 8.8, "QQP": 8.6, "RTE": 9.2,
            "SST-2": 7.8, "STS-B": 7.4, "WNLI": 0.0,
        }
    )  # fmt: skip
