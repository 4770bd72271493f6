"""Rows of own tasks: which are used, which are left out and named by their line, and how train and dev are made."""

import csv
import json
from pathlib import Path

import hypothesis.strategies as st
import pytest
from datasets import Dataset, DatasetDict
from hypothesis import given

from lottery.data import tables
from lottery.data.description import value_name
from lottery.data.rows import Row
from lottery.data.splits import divide
from lottery.tasks import TASKS
from tests.own import ROWS, delimited, fetched
from tests.test_bad_data import refused

GOOD = "".join(f"film {at},{('bad', 'good')[at % 2]}\n" for at in range(10))


def test_rows_that_cannot_be_used_are_named_by_their_line(tmp_path: Path) -> None:
    train = "text,kind\n" + GOOD + 'film 3,bad\n,good\n"of\ntwo lines",worse\nlast,\nplot,good\n'
    dev = "text,kind\nplot,good\n \t,bad\nscene,bad\n"
    for name, text in (("train", train), ("dev", dev)):
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    files = {name: str(tmp_path / f"{name}.csv") for name in ("train", "dev")}
    said, corpus, about = fetched(tmp_path, files=files)
    assert (len(corpus["train"]), len(corpus["dev"])) == (10, 2)
    for part in (
        "1 row with no text (train.csv, line 13)",
        "1 row with an unknown label (train.csv, line 14)",
        "1 row with no label (train.csv, line 16)",
        "1 row with no text (dev.csv, line 3)",
        "1 row with a text that is there before (train.csv, line 12)",
        "1 row with a text that is in dev too (train.csv, line 17)",
    ):
        assert part in said
    assert sum(about["left_out"].values()) == 6
    assert "Left out: " in about["notes"][-1]
    lines = (tmp_path / "asset" / "left_out.csv").read_text("utf-8").splitlines()
    listed = list(csv.DictReader(lines))
    assert {"table": "train.csv", "number": "14", "value": "'worse'"}.items() <= listed[1].items()


def test_a_sentence_names_five_places_and_counts_the_rest(tmp_path: Path) -> None:
    path = delimited(tmp_path, "text,kind\n" + GOOD + "x,\n" * 8)
    said, _, _ = fetched(tmp_path, files=str(path))
    assert "8 rows with no label (rows.csv, lines 12, 13, 14, 15, 16 and 3 more)" in said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no column `text`"),
        ("text,kind\n", "rows.csv: no usable row"),
        ("text,kind\nx,pos\n", "no usable row; rows.csv: line 2: an unknown label: 'pos'"),
        ("Text,kind\nx,good\n", "no column `text`; there are: Text, kind"),
        ("text,text\nx,good\n", "line 1: two columns have the same name"),
        ("text,kind\nso, so,good\n", "line 2 has 3 cells, the header 2"),
        ("text,kind\n" + GOOD + "so, so,good\n", "Expected 2 fields in line 12, saw 3"),
        ("text,kind\nx,good\ny,good\nz,good\n", "no usable row of train has the class `bad`"),
        ("text,kind\n\udcff,good\n", "not readable as utf-8"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "rows.csv").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert message in refused(lambda: fetched(tmp_path, files=str(tmp_path / "rows.csv")))


@given(st.lists(st.sampled_from("abcdefgh"), min_size=20, max_size=40), st.integers(0, 99))
def test_groups_are_never_shared_when_one_file_is_divided(names: list[str], draw: int) -> None:
    rows = [Row(str(at), None, float(at % 2), name) for at, name in enumerate(names)]
    train, dev = divide(TASKS["sst2"], rows, 0.3, draw)
    groups = [{row.group for row in part} for part in (train, dev)]
    assert not groups[0] & groups[1]
    assert sorted([*train, *dev]) == sorted(rows)
    assert len(groups[1]) == max(1, int(0.3 * len(set(names))))


@pytest.mark.parametrize("authors", [(0, 1, 2, 3), (0.0, 1.0, 2.0, 3.0), (False, True)], ids=str)
def test_groups_with_numbers_for_names_stay_together(
    tmp_path: Path, authors: tuple[float, ...]
) -> None:
    rows = [row | {"who": authors[at // 2 % len(authors)]} for at, row in enumerate(ROWS)]
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    _, corpus, _ = fetched(tmp_path, files=str(path), group="who")
    groups = [{row.group for row in corpus[split]} for split in ("train", "dev")]
    assert not groups[0] & groups[1]
    assert groups[0] | groups[1] == {value_name(author) for author in authors}


@given(st.integers(), st.integers(0, 3))
def test_a_whole_number_has_one_name_in_every_format(number: int, zeros: int) -> None:
    assert value_name(f" {number}.{'0' * zeros}") == value_name(f"{number}") == value_name(number)
    assert value_name(f"{number}.01") != value_name(number)
    if int(float(number)) == number:
        assert value_name(float(number)) == value_name(number)


def test_classes_that_pandas_wrote_as_floats_are_those_of_the_description(tmp_path: Path) -> None:
    path = delimited(
        tmp_path, "text,kind\n" + "".join(f"film {at},{at % 2}.0\n" for at in range(10))
    )
    said, _, _ = fetched(tmp_path, files=str(path), classes=[0, 1])
    assert "no row left out" in said


def test_rows_without_a_group_are_groups_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n".join(json.dumps(row | {"who": None}) for row in ROWS))
    _, corpus, _ = fetched(tmp_path, files=str(path), group="who")
    assert (len(corpus["train"]), len(corpus["dev"])) == (16, 4)


def test_a_group_of_dev_is_left_out_of_train(tmp_path: Path) -> None:
    for name, rows in (("train", GOOD), ("dev", "scene 1,bad\nscene 2,good\n")):
        lines = [f"{row},{name if at else 'both'}" for at, row in enumerate(rows.splitlines())]
        (tmp_path / f"{name}.csv").write_text("\n".join(["text,kind,film", *lines]))
    files = {name: str(tmp_path / f"{name}.csv") for name in ("train", "dev")}
    said, corpus, _ = fetched(tmp_path, files=files, group="film")
    assert "1 row with a group that is in dev too (train.csv, line 2)" in said
    assert {row.group for row in corpus["train"]} == {"train"}


def test_a_folder_of_several_splits_is_read_by_their_names(tmp_path: Path) -> None:
    saved = {"training": Dataset.from_list(ROWS), "validation": Dataset.from_list(ROWS[:2])}
    DatasetDict(saved).save_to_disk(tmp_path / "saved")
    keys = {"files": str(tmp_path / "saved"), "splits": {"train": "training", "dev": "validation"}}
    _, corpus, _ = fetched(tmp_path, **keys)
    assert (len(corpus["train"]), len(corpus["dev"])) == (18, 2)
    del keys["splits"]
    assert "holds the splits training, validation" in refused(lambda: fetched(tmp_path, **keys))
    wrong = {**keys, "splits": {"train": "test"}}
    assert "there is no split `test`" in refused(lambda: fetched(tmp_path, **wrong))


def test_a_data_set_of_the_hub_is_read_by_its_splits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def load(name: str, config: str | None, split: str, revision: str | None) -> Dataset:
        asked.append((name, config, split, revision))
        return Dataset.from_list(ROWS if split == "train" else [{"text": "x", "kind": "bad"}])

    monkeypatch.setattr(tables, "load_dataset", load)
    keys = {"hub": "us/films", "revision": "v1", "splits": {"train": "train", "dev": "test"}}
    _, corpus, about = fetched(tmp_path, **keys, licence="CC0")
    assert asked == [("us/films", None, "train", "v1"), ("us/films", None, "test", "v1")]
    assert (len(corpus["train"]), len(corpus["dev"])) == (20, 1)
    assert (about["name"], about["parts"][0][0]["licence"]) == ("us/films", "CC0")
