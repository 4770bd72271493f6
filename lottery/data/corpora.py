"""The packaged corpora: reading their files as labelled rows, and which rows are used."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from lottery.data.rows import UNREADABLE, Corpus, Row, read_arrow, require_valid_rows
from lottery.errors import UserError
from lottery.seeds import rng
from lottery.tasks import get_task


def read_packaged(task: str, folder: Path) -> Corpus:
    """The corpus of a packaged task, read from its asset folder.

    Raises UserError if no package carries the task, a file is missing or malformed, or a row is invalid.
    """
    if task not in READERS:
        raise UserError(f"no package carries the task `{task}`; packaged: {', '.join(READERS)}")
    try:
        corpus = READERS[task](folder)
    except FileNotFoundError as error:
        raise UserError(
            f"{error.filename}: missing from the asset of {task}; fetch it again"
        ) from None
    except UNREADABLE as error:
        raise UserError(f"{folder}: not the corpus of {task}: {error}; fetch it again") from None
    for split, rows in corpus.items():
        require_valid_rows(get_task(task), f"{folder}: split {split} of {task}", rows)
    return corpus


def sst2(folder: Path) -> Corpus:
    """SST-2: dev is GLUE's validation set, train are film-review snippets labelled by their mean rating.

    Left out of train: neutral snippets (|rating| < 0.5), and those that share 60 % of their words with a dev
    sentence, since both corpora come from the same reviews. The splits `dev-tweets`, `dev-products` and `dev-news`
    are other texts, rated and labelled like the snippets; those that also occur in train are left out.
    """
    table = read_arrow(folder / "dev.arrow").select(["sentence", "label"])
    dev = [Row(row["sentence"].strip(), None, row["label"]) for row in table.to_pylist()]
    overlap = Overlap([row.first for row in dev])
    train = [row for row in _polar(folder / "snippets.txt") if overlap.share(row.first) < 0.6]
    seen = {row.first.casefold() for row in train}
    others = {
        f"dev-{name}": [
            row for row in _polar(folder / f"{name}.txt") if row.first.casefold() not in seen
        ]
        for name in ("tweets", "products", "news")
    }
    return {"train": train, "dev": dev} | others


def _polar(path: Path) -> list[Row]:
    """Rated texts that are not neutral, each once, with the class of their (last) rating."""
    ratings = {text: rating for rating, text in _rated(path)}
    return [
        Row(text, None, float(rating > 0)) for text, rating in ratings.items() if abs(rating) >= 0.5
    ]


class Overlap:
    """Word overlap of texts with a fixed list of sentences."""

    def __init__(self, sentences: Sequence[str]) -> None:
        self.count = len(sentences)
        self.sentences_with: dict[str, list[int]] = {}
        for index, sentence in enumerate(sentences):
            for word in words(sentence):
                self.sentences_with.setdefault(word, []).append(index)

    def share(self, text: str) -> float:
        """Largest share, in [0, 1], of the words of `text` that occur in a single sentence."""
        text_words = words(text)
        shared = np.zeros(self.count, np.int64)
        for word in text_words:
            shared[self.sentences_with.get(word, [])] += 1
        return float(shared.max(initial=0)) / max(len(text_words), 1)


def words(text: str) -> set[str]:
    """Distinct words of a text, regardless of case, spacing and punctuation."""
    return set(re.findall(r"[a-z0-9]+", text.lower()))


def stsb(folder: Path) -> Corpus:
    """STS benchmark: train and dev as published, scores from 0 to 5; repeated pairs stay in one split."""

    def rows(path: Path) -> Iterator[Row]:
        for line in _lines(path):
            score, first, second = line.split("\t")[4:7]
            yield Row(first, second, float(score), f"{first}\t{second}")

    return {split: list(rows(folder / f"{split}.tsv")) for split in ("train", "dev")}


def sarcasm(folder: Path) -> Corpus:
    """Sarcasm headlines: class 1 if by The Onion, 0 if by HuffPost; each counts once, and a fifth of them are dev."""
    samples = map(json.loads, _lines(folder / "samples.jsonl"))
    classes = {sample["input"][-1]["content"]: SOURCES[sample["ideal"]] for sample in samples}
    return _split_off_dev(
        "sarcasm", [Row(headline, None, label, headline) for headline, label in classes.items()]
    )


SOURCES = {"1": 1.0, "0": 0.0}


def privacyqa(folder: Path) -> Corpus:
    """PrivacyQA: question and sentence, class 1 if it is an answer; a fifth of the questions are dev."""
    pairs = map(json.loads, _lines(folder / "pairs.jsonl"))
    rows = [
        Row(pair["question"], pair["context"], ANSWERS[pair["answer"]], pair["question"])
        for pair in pairs
    ]
    return _split_off_dev("privacyqa", rows)


ANSWERS = {"True": 1.0, "False": 0.0}


def bshift(folder: Path) -> Corpus:
    """Bigram shift: sentences as written (class 1), or with two adjacent words swapped (class 0).

    The probing task of Conneau et al. (2018), constructed from newspaper sentences.
    """
    texts = dict.fromkeys(" ".join(text.split()) for _, text in _rated(folder / "snippets.txt"))
    usable = [text for text in texts if _swap_positions(text)]
    generator = rng("bshift", "construction")
    intact = generator.permutation(len(usable)) % 2
    rows = [
        Row(text if keep else _swap_words(text, generator), None, float(keep), text)
        for text, keep in zip(usable, intact.tolist(), strict=True)
    ]
    return _split_off_dev("bshift", rows)


def _swap_positions(text: str) -> list[int]:
    """Positions of words that can be swapped with the next one so that only the order gives it away.

    Both words are plain, lower-case and different; the first word of the sentence stays.
    """
    tokens = text.split()
    return [
        at
        for at in range(1, len(tokens) - 1)
        if all(token.isalpha() and token.islower() for token in tokens[at : at + 2])
        and tokens[at] != tokens[at + 1]
    ]


def _swap_words(text: str, generator: np.random.Generator) -> str:
    tokens, at = text.split(), int(generator.choice(_swap_positions(text)))
    tokens[at : at + 2] = tokens[at + 1], tokens[at]
    return " ".join(tokens)


def _rated(path: Path) -> Iterator[tuple[float, str]]:
    """Texts of one of VADER's corpora with their mean ratings, from -4 to 4."""
    for line in _lines(path):
        _, rating, text = line.split("\t")
        yield float(rating), text


def _lines(path: Path) -> list[str]:
    # Not str.splitlines: it would also split at Unicode separators inside a sentence.
    with path.open(encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file]


def _split_off_dev(task: str, rows: Sequence[Row]) -> Corpus:
    """The rows as train and dev; a fifth of the groups, drawn at random, are dev."""
    groups = list(dict.fromkeys(row.group for row in rows))
    order = rng(task, "dev").permutation(len(groups))
    dev = {groups[at] for at in order[: len(groups) // 5].tolist()}
    return {
        "train": [row for row in rows if row.group not in dev],
        "dev": [row for row in rows if row.group in dev],
    }


READERS: Mapping[str, Callable[[Path], Corpus]] = {
    "sst2": sst2,
    "stsb": stsb,
    "sarcasm": sarcasm,
    "privacyqa": privacyqa,
    "bshift": bshift,
}
