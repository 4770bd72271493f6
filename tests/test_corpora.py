"""The packaged corpora, in miniature, and the splitting that all corpora share."""

import json
from collections import Counter
from pathlib import Path

import hypothesis.strategies as st
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given

from lottery.data.corpora import Overlap, Row, packaged, words
from lottery.data.examples import DataParameters
from lottery.data.splits import balanced, split_corpus
from lottery.errors import UserError
from lottery.tasks import get_task

DEV = ["it 's a charming and often affecting journey . ", "unflinchingly bleak and desperate "]
SNIPPETS = [
    (2.5, "It's a charming and often affecting journey."),
    (1.0, "Charming and often affecting, this journey ends"),
    (-3.0, "A waste of everybody's time"),
    (0.5, "Worth a look"),
    (-0.4, "Neither here nor there"),
]


def snippets(folder: Path, rated: list[tuple[float, str]]) -> None:
    lines = [f"{row}\t{rating}\t{text}\r\n" for row, (rating, text) in enumerate(rated)]
    (folder / "snippets.txt").write_text("".join(lines), newline="")


def data(
    train: int | None = None, select: int | None = None, dev: int | None = None
) -> DataParameters:
    return DataParameters(
        source="packages", train=train, select=select, dev=dev, max_length=128, standardise=True
    )


def test_sst2_keeps_what_is_rated_clearly_and_not_known_from_dev(tmp_path: Path) -> None:
    snippets(tmp_path, SNIPPETS)
    table = pa.table({"sentence": DEV, "label": [1, 0], "idx": [0, 1]})
    with pa.ipc.new_stream(tmp_path / "dev.arrow", table.schema) as stream:
        stream.write_table(table)
    corpus = packaged("sst2", tmp_path)
    assert corpus["train"] == [
        Row("A waste of everybody's time", None, 0.0),
        Row("Worth a look", None, 1.0),
    ]
    assert [(row.first, row.label) for row in corpus["dev"]] == [
        (DEV[0].strip(), 1),
        (DEV[1].strip(), 0),
    ]


@given(st.lists(st.text("ab c", max_size=8), min_size=1, max_size=6), st.text("ab c", max_size=8))
def test_overlap_equals_its_definition(known: list[str], text: str) -> None:
    own = words(text)
    expected = max(len(own & words(each)) for each in known) / max(len(own), 1)
    assert Overlap(known).share(text) == pytest.approx(expected)


def test_stsb_reads_scores_and_both_sentences_whatever_follows(tmp_path: Path) -> None:
    line = 'genre\tfile\t2012\t0001\t3.750\tA "man\u2028sings.\tHe sings.\tsource\n'
    for split in ("train", "dev"):
        (tmp_path / f"{split}.tsv").write_text(line, encoding="utf-8")
    corpus = packaged("stsb", tmp_path)
    pair = ('A "man\u2028sings.', "He sings.")
    assert corpus["dev"] == [Row(*pair, 3.75, "\t".join(pair))]


def privacyqa(folder: Path, questions: int = 30) -> None:
    pairs = [
        {"question": f"question {q}", "context": f"sentence {c}", "answer": str((q + c) % 2 == 0)}
        for q in range(questions)
        for c in range(1 + q % 7)
    ]
    (folder / "pairs.jsonl").write_text("\n".join(map(json.dumps, pairs)) + "\n")


def test_no_question_of_privacyqa_is_in_two_splits(tmp_path: Path) -> None:
    privacyqa(tmp_path)
    corpus = packaged("privacyqa", tmp_path)
    splits = split_corpus(get_task("privacyqa"), corpus, data())
    questions = {split: {row.first for row in rows} for split, rows in splits.items()}
    assert sum(map(len, questions.values())) == 30 == len(set.union(*questions.values()))
    assert len(questions["dev"]) == 6
    assert sum(map(len, splits.values())) == sum(map(len, corpus.values()))


def test_bshift_swaps_one_neighbouring_pair_in_half_of_the_sentences(tmp_path: Path) -> None:
    texts = [f"The {a} cat quietly {b} upon it, again." for a in ("old", "red") for b in
             ("sat", "lay", "hid", "ran", "fell")]  # fmt: skip
    snippets(tmp_path, [(0.0, text) for text in [*texts, texts[0], "Too short."]])
    corpus = packaged("bshift", tmp_path)
    rows = [*corpus["train"], *corpus["dev"]]
    assert Counter(row.label for row in rows) == {0.0: 5, 1.0: 5}
    assert {row.group for row in rows} == set(texts)
    for row in rows:
        differ = [
            at
            for at, (mine, theirs) in enumerate(
                zip(row.first.split(), row.group.split(), strict=True)
            )
            if mine != theirs
        ]
        assert sorted(row.first.split()) == sorted(row.group.split())
        assert differ == ([] if row.label else [differ[0], differ[0] + 1])
        assert 0 not in differ
        assert len(row.group.split()) - 1 not in differ


@pytest.mark.parametrize(
    ("name", "told"),
    [("cola", "no package carries the task `cola`"), ("stsb", "missing from the asset of stsb")],
)
def test_an_absent_corpus_is_a_fault(tmp_path: Path, name: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        packaged(name, tmp_path)


def test_a_damaged_corpus_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "train.tsv").write_text("not\ttab\tseparated\tenough\n")
    with pytest.raises(UserError, match="not the corpus of stsb"):
        packaged("stsb", tmp_path)


ROWS = st.lists(
    st.builds(Row, st.text(max_size=3), st.none(), st.sampled_from([0.0, 1.0])), min_size=20
)
SIZE = st.integers(1, 30)


@given(ROWS, SIZE, SIZE, SIZE)
def test_larger_samples_contain_smaller_ones(rows: list[Row], a: int, b: int, c: int) -> None:
    numbered = [row._replace(first=str(at)) for at, row in enumerate(rows)]
    corpus = {"train": numbered, "dev": numbered}
    small, large = sorted((a, b))
    less = split_corpus(get_task("sst2"), corpus, data(train=small, select=c, dev=small))
    more = split_corpus(get_task("sst2"), corpus, data(train=large, select=c + 1, dev=large))
    for split in ("train", "select", "dev"):
        assert set(less[split]) <= set(more[split])
    assert not set(more["train"]) & set(more["select"])
    assert len(less["dev"]) == min(small, len(rows))


def test_everything_is_used_where_nothing_limits_it() -> None:
    rows = [Row(str(at), None, float(at % 2)) for at in range(100)]
    splits = split_corpus(get_task("sst2"), {"train": rows, "dev": rows[:9]}, data())
    assert {split: len(part) for split, part in splits.items()} == {
        "train": 90, "select": 10, "dev": 9,
    }  # fmt: skip
    assert sorted([*splits["train"], *splits["select"]]) == sorted(rows)
    assert splits["train"] == sorted(splits["train"], key=lambda row: int(row.first))


def test_select_0_holds_nothing_out() -> None:
    rows = [Row(str(at), None, float(at % 2)) for at in range(100)]
    splits = split_corpus(get_task("sst2"), {"train": rows, "dev": rows}, data(select=0))
    assert (splits["train"], splits["select"]) == (rows, [])


def test_a_corpus_too_small_to_split_is_a_fault() -> None:
    one = [Row("a", None, 1.0)]
    with pytest.raises(UserError, match="nothing is left for train"):
        split_corpus(get_task("sst2"), {"train": one, "dev": one}, data())


@given(st.lists(st.integers(0, 2), min_size=1, max_size=80), st.integers(1, 80))
def test_every_beginning_of_the_order_is_balanced(labels: list[int], size: int) -> None:
    order = balanced(np.array(labels, np.float64), "test")
    assert sorted(order.tolist()) == list(range(len(labels)))
    share = min(size, len(labels)) / len(labels)
    taken = Counter(labels[at] for at in order[:size].tolist())
    for label, count in Counter(labels).items():
        assert abs(taken[label] - share * count) <= len(set(labels)) / 2 + 0.5
