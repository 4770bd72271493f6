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


def goods(heads_SLH: np.ndarray, mlps_SL: np.ndarray) -> list[Ticket]:
    return [
        toys.good_ticket("toy", seed, heads, mlps)
        for seed, (heads, mlps) in enumerate(zip(heads_SLH, mlps_SL, strict=True))
    ]


def words(found: list[Ticket]) -> pd.DataFrame:
    def word(bits: object) -> str:
        return "".join(map(str, np.asarray(bits, int)))

    return pd.DataFrame(
        {
            "task": [each.task for each in found],
            "seed": [each.seed for each in found],
            "heads": [" ".join(map(word, each.subnetwork["heads"])) for each in found],
            "mlps": [word(each.subnetwork["mlps"]) for each in found],
        }
    )


def components(found: list[Ticket]) -> pd.DataFrame:
    rows = [
        (each.task, each.seed, place[0], unit, place[1] if len(place) > 1 else 0, int(kept))
        for each in found
        for unit, part in (("head", "heads"), ("mlp", "mlps"))
        for place, kept in np.ndenumerate(each.subnetwork[part])
    ]
    return pd.DataFrame(rows, columns=["task", "seed", "layer", "head_or_mlp", "component", "kept"])


def folders(found: list[Ticket], root: Path) -> None:
    for each in found:
        folder = root / each.task / f"seed_{each.seed}"
        folder.mkdir(parents=True)
        np.save(folder / "head_mask.npy", each.subnetwork["heads"].astype(float))
        np.save(folder / "mlp_mask.npy", each.subnetwork["mlps"].astype(float))


@settings(max_examples=20)
@given(st.data(), st.integers(1, 3), st.integers(1, 4), st.integers(1, 13))
def test_all_layouts_say_the_same(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, seeds: int, layers: int, heads: int
) -> None:  # fmt: skip
    root = tmp_path_factory.mktemp("layouts")
    made = goods(
        data.draw(arrays(bool, (seeds, layers, heads))), data.draw(arrays(bool, (seeds, layers)))
    )
    words(made).to_csv(root / "words.csv", index=False)
    components(made).sample(frac=1, random_state=0).to_csv(root / "components.csv", index=False)
    folders(made, root / "masks" / "heads_mlps")
    for source in (root / "words.csv", root, root / "masks" / "heads_mlps"):
        assert published_masks.read(source) == made
    assert sorted(published_masks.read(root / "components.csv"), key=lambda each: each.seed) == made


@pytest.fixture
def made() -> list[Ticket]:
    return goods(np.ones((2, 3, 4), bool), np.zeros((2, 3), bool))


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("kept", "2", "values other than 0"),
        ("kept", "yes", "lacks components"),
        ("head_or_mlp", "neuron", "'neuron'"),
        ("layer", "7", "lacks components"),
        ("component", "1", "more than once"),
        ("seed", "x", "column seed"),
        ("task", "../up", "not a valid task name"),
    ],
)
def test_a_wrong_row_is_named(
    tmp_path: Path, made: list[Ticket], column: str, value: str, says: str
) -> None:
    table = components(made).astype(str)
    table.loc[0, column] = value
    if column == "task":
        table["task"] = value
    table.to_csv(tmp_path / "wrong.csv", index=False)
    with pytest.raises(UserError, match=says):
        published_masks.read(tmp_path / "wrong.csv")


def test_a_table_without_the_columns_names_what_is_expected(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match="expected task, seed, layer"):
        published_masks.read(tmp_path / "other.csv")


def test_a_missing_source_a_missing_mask_and_an_empty_folder_are_faults(
    tmp_path: Path, made: list[Ticket]
) -> None:
    with pytest.raises(UserError, match="no such file"):
        published_masks.read(tmp_path / "nowhere")
    with pytest.raises(UserError, match="seed_<seed>"):
        published_masks.read(tmp_path)
    folders(made, tmp_path)
    (tmp_path / "toy" / "seed_1" / "mlp_mask.npy").unlink()
    with pytest.raises(UserError, match=r"mlp_mask\.npy"):
        published_masks.read(tmp_path)


def test_objects_in_an_array_are_never_unpickled(tmp_path: Path, made: list[Ticket]) -> None:
    folders(made, tmp_path)
    np.save(tmp_path / "toy/seed_0/head_mask.npy", np.array([{}], object))
    with pytest.raises(UserError, match="no readable array"):
        published_masks.read(tmp_path)


def test_two_encoders_in_one_source_are_refused(tmp_path: Path, made: list[Ticket]) -> None:
    smaller = toys.good_ticket("other", 0, np.ones((2, 4), bool), np.ones(2, bool))
    folders([*made, smaller], tmp_path)
    with pytest.raises(UserError, match="one encoder at a time"):
        published_masks.read(tmp_path)


def test_the_published_masks_have_the_published_sizes() -> None:
    found = published_masks.read(PUBLISHED)
    sizes = pd.DataFrame(
        [
            (each.task, each.subnetwork["heads"].sum(), each.subnetwork["mlps"].sum())
            for each in found
        ],
        columns=["task", "heads", "mlps"],
    )
    assert len(found) == 45
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
