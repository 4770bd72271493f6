"""The packaged corpora, each read from a small example of its files."""

import json
from collections import Counter
from pathlib import Path

import hypothesis.strategies as st
import pyarrow as pa
import pytest
from hypothesis import given

from lottery.data.corpora import Overlap, read_packaged, words
from lottery.data.examples import DataParameters
from lottery.data.rows import Corpus, Row
from lottery.data.splits import split_corpus
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


OTHERS = [
    (-0.5, "WORTH a look"),
    (3.1, "the movie was Great!! :)"),
    (-2.0, "late again"),
    (-2.0, "late again"),
    (0.4, "an ordinary day"),
]


def write_snippets(folder: Path, snippets: list[tuple[float, str]], name: str = "snippets") -> None:
    lines = [f"{number}\t{rating}\t{text}\r\n" for number, (rating, text) in enumerate(snippets)]
    (folder / f"{name}.txt").write_text("".join(lines), newline="")


@pytest.fixture
def reviews(tmp_path: Path) -> Corpus:
    """SST-2, made of the examples above."""
    write_snippets(tmp_path, SNIPPETS)
    for name in ("tweets", "products", "news"):
        write_snippets(tmp_path, OTHERS, name)
    table = pa.table({"sentence": DEV, "label": [1, 0], "idx": [0, 1]})
    with pa.ipc.new_stream(tmp_path / "dev.arrow", table.schema) as stream:
        stream.write_table(table)
    return read_packaged("sst2", tmp_path)


def test_sst2_leaves_out_neutral_snippets_and_those_that_overlap_with_dev(reviews: Corpus) -> None:
    assert reviews["train"] == [
        Row("A waste of everybody's time", None, 0.0),
        Row("Worth a look", None, 1.0),
    ]
    assert [(row.first, row.label) for row in reviews["dev"]] == [
        (DEV[0].strip(), 1),
        (DEV[1].strip(), 0),
    ]


def test_other_rated_texts_are_dev_splits_of_sst2_without_what_occurs_in_train(
    reviews: Corpus,
) -> None:
    expected = [Row("the movie was Great!! :)", None, 1.0), Row("late again", None, 0.0)]
    assert list(reviews) == ["train", "dev", "dev-tweets", "dev-products", "dev-news"]
    assert all(reviews[split] == expected for split in list(reviews)[2:])


@given(st.lists(st.text("ab c", max_size=8), min_size=1, max_size=6), st.text("ab c", max_size=8))
def test_overlap_equals_its_definition(sentences: list[str], text: str) -> None:
    shared = max(len(words(text) & words(sentence)) for sentence in sentences)
    expected = shared / max(len(words(text)), 1)
    assert Overlap(sentences).share(text) == pytest.approx(expected)


def test_stsb_has_score_and_both_sentences_and_ignores_further_columns(tmp_path: Path) -> None:
    line = 'genre\tfile\t2012\t0001\t3.750\tA "man\u2028sings.\tHe sings.\tsource\n'
    for split in ("train", "dev"):
        (tmp_path / f"{split}.tsv").write_text(line, encoding="utf-8")
    corpus = read_packaged("stsb", tmp_path)
    pair = ('A "man\u2028sings.', "He sings.")
    assert corpus["dev"] == [Row(*pair, 3.75, "\t".join(pair))]


def test_every_headline_counts_once(tmp_path: Path) -> None:
    headlines = [(f"headline {number}", number % 2) for number in range(20)]
    samples = [
        {"input": [{"role": "system", "content": "0 or 1"}, {"role": "user", "content": text}],
         "ideal": str(label)}
        for text, label in [*headlines, headlines[3]]
    ]  # fmt: skip
    (tmp_path / "samples.jsonl").write_text("\n".join(map(json.dumps, samples)) + "\n")
    corpus = read_packaged("sarcasm", tmp_path)
    rows = [*corpus["train"], *corpus["dev"]]
    assert sorted((row.first, int(row.label)) for row in rows) == sorted(headlines)
    assert len(corpus["dev"]) == 4


def write_privacyqa(folder: Path, questions: int = 30) -> None:
    pairs = [
        {"question": f"question {q}", "context": f"sentence {c}", "answer": str((q + c) % 2 == 0)}
        for q in range(questions)
        for c in range(1 + q % 7)
    ]
    (folder / "pairs.jsonl").write_text("\n".join(map(json.dumps, pairs)) + "\n")


def test_no_question_of_privacyqa_is_in_two_splits(tmp_path: Path) -> None:
    write_privacyqa(tmp_path)
    corpus = read_packaged("privacyqa", tmp_path)
    data = DataParameters(
        source="packages", train=None, select=None, dev=None, max_length=128, standardise=True
    )
    splits = split_corpus(get_task("privacyqa"), corpus, data, seed=1)
    questions = {split: {row.first for row in rows} for split, rows in splits.items()}
    assert sum(map(len, questions.values())) == 30 == len(set.union(*questions.values()))
    assert len(questions["dev"]) == 6
    assert sum(map(len, splits.values())) == sum(map(len, corpus.values()))


def test_bshift_swaps_two_adjacent_words_in_half_of_the_sentences(tmp_path: Path) -> None:
    texts = [f"The {a} cat quietly {b} upon it, again." for a in ("old", "red") for b in
             ("sat", "lay", "hid", "ran", "fell")]  # fmt: skip
    write_snippets(tmp_path, [(0.0, text) for text in [*texts, texts[0], "Too short."]])
    corpus = read_packaged("bshift", tmp_path)
    rows = [*corpus["train"], *corpus["dev"]]
    assert Counter(row.label for row in rows) == {0.0: 5, 1.0: 5}
    assert {row.group for row in rows} == set(texts)
    for row in rows:
        tokens, original = row.first.split(), row.group.split()
        changed = [at for at, token in enumerate(tokens) if token != original[at]]
        assert sorted(tokens) == sorted(original)
        assert changed == ([] if row.label else [changed[0], changed[0] + 1])
        assert 0 not in changed
        assert len(original) - 1 not in changed


@pytest.mark.parametrize(
    ("task", "message"),
    [("cola", "no package carries the task `cola`"), ("stsb", "missing from the asset of stsb")],
)
def test_a_missing_corpus_is_refused(tmp_path: Path, task: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_packaged(task, tmp_path)


def test_a_damaged_corpus_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train.tsv").write_text("not\ttab\tseparated\tenough\n")
    with pytest.raises(UserError, match="not the corpus of stsb"):
        read_packaged("stsb", tmp_path)
