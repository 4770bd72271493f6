"""The packaged corpora as labelled rows: what each file means, and what of it may be used."""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import pyarrow as pa

from lottery.errors import UserError
from lottery.seeds import rng
from lottery.tasks import Task
from lottery.tasks import get_task as known_task


class Row(NamedTuple):
    """A sentence or a pair, its class or score, and the group that no two splits may share."""

    first: str
    second: str | None
    label: float
    group: str = ""


Corpus = Mapping[str, Sequence[Row]]
"""Rows of `train`, `dev` and, for MNLI, `dev-mismatched`."""


def packaged(task: str, folder: Path) -> Corpus:
    """The corpus of a packaged task in its asset folder; a UserError where the folder lacks it."""
    if task not in READERS:
        raise UserError(f"no package carries the task `{task}`; packaged: {', '.join(READERS)}")
    try:
        corpus = READERS[task](folder)
    except FileNotFoundError as error:
        raise UserError(
            f"{error.filename}: missing from the asset of {task}; fetch it again"
        ) from None
    except (
        OSError,
        ValueError,
        LookupError,
        TypeError,
        AttributeError,
        RecursionError,
        pa.ArrowException,
    ) as error:
        raise UserError(f"{folder}: not the corpus of {task}: {error}; fetch it again") from None
    for split, rows in corpus.items():
        require_usable_labels(known_task(task), f"{folder}: split {split} of {task}", rows)
    return corpus


def require_usable_labels(task: Task, where: str, rows: Sequence[Row]) -> None:
    """A UserError unless every text is one and every label a class of the task or, for a regression, a number."""
    wanted = "a finite number" if task.regression else f"a class from 0 to {task.classes - 1}"
    for number, row in enumerate(rows):
        first, second, label, *_ = cast(tuple[Any, ...], row)
        if not isinstance(first, str) or not isinstance(second, str | None):
            raise UserError(f"{where}: row {number} has a text that is {type(first).__name__}")
        known = isinstance(label, int | float) and math.isfinite(label)
        if not known or (not task.regression and label not in range(task.classes)):
            raise UserError(f"{where}: row {number} has the label {label!r}; expected {wanted}")


def checked(table: pa.Table) -> pa.Table:
    """The table; ArrowInvalid where its bytes are not what its columns say, which would be read as they are."""
    table.validate(full=True)
    return table


def sst2(folder: Path) -> Corpus:
    """GLUE's validation set, and rated snippets far from it and from neutral (|rating| >= .5)."""
    with pa.memory_map(str(folder / "dev.arrow")) as file:
        table = checked(pa.ipc.open_stream(file).read_all()).select(["sentence", "label"])
    dev = [Row(row["sentence"].strip(), None, row["label"]) for row in table.to_pylist()]
    known = Overlap([row.first for row in dev])
    train = [
        Row(text, None, float(rating > 0))
        for rating, text in _rated(folder)
        if abs(rating) >= 0.5 and known.share(text) < 0.6
    ]
    return {"train": train, "dev": dev}


class Overlap:
    """How much of a text one of the known sentences already says."""

    def __init__(self, sentences: Sequence[str]) -> None:
        self.sentences = len(sentences)
        self.where: dict[str, list[int]] = {}
        for index, sentence in enumerate(sentences):
            for word in words(sentence):
                self.where.setdefault(word, []).append(index)

    def share(self, text: str) -> float:
        """The largest share of the words of `text` that one known sentence has, in [0, 1]."""
        counts, own = np.zeros(self.sentences, np.int64), words(text)
        for word in own:
            counts[self.where.get(word, [])] += 1
        return float(counts.max(initial=0)) / max(len(own), 1)


def words(text: str) -> set[str]:
    """The distinct words of a text, however it is cased and spaced."""
    return set(re.findall(r"[a-z0-9]+", text.lower()))


def stsb(folder: Path) -> Corpus:
    """The STS benchmark: train and dev as published, scores 0 to 5; a repeated pair stays in one split."""

    def rows(path: Path) -> Iterator[Row]:
        for line in _lines(path):
            score, first, second = line.split("\t")[4:7]
            yield Row(first, second, float(score), f"{first}\t{second}")

    return {split: list(rows(folder / f"{split}.tsv")) for split in ("train", "dev")}


def privacyqa(folder: Path) -> Corpus:
    """Question and sentence, class 1 where it is an answer; a fifth of the questions are dev."""
    rows = [
        Row(pair["question"], pair["context"], ANSWERS[pair["answer"]], pair["question"])
        for pair in map(json.loads, _lines(folder / "pairs.jsonl"))
    ]
    return _dev_fifth("privacyqa", rows)


ANSWERS = {"True": 1.0, "False": 0.0}


def bshift(folder: Path) -> Corpus:
    """Sentences as written (class 1) or with two neighbouring words swapped (class 0).

    The probing task of Conneau et al. (2018).
    """
    texts = dict.fromkeys(" ".join(text.split()) for _, text in _rated(folder))
    usable = [text for text in texts if _swappable(text)]
    drawn = rng("bshift", "construction")
    intact = drawn.permutation(len(usable)) % 2
    rows = [
        Row(text if keep else _swapped(text, drawn), None, float(keep), text)
        for text, keep in zip(usable, intact.tolist(), strict=True)
    ]
    return _dev_fifth("bshift", rows)


def _swappable(text: str) -> list[int]:
    """Where a swap shows in the order alone: two different plain words, not the first one."""
    tokens = text.split()
    return [
        at
        for at in range(1, len(tokens) - 1)
        if all(token.isalpha() and token.islower() for token in tokens[at : at + 2])
        and tokens[at] != tokens[at + 1]
    ]


def _swapped(text: str, drawn: np.random.Generator) -> str:
    tokens, at = text.split(), int(drawn.choice(_swappable(text)))
    tokens[at : at + 2] = tokens[at + 1], tokens[at]
    return " ".join(tokens)


def _rated(folder: Path) -> Iterator[tuple[float, str]]:
    for line in _lines(folder / "snippets.txt"):
        _, rating, text = line.split("\t")
        yield float(rating), text


def _lines(path: Path) -> list[str]:
    """Lines as the file ends them; str.splitlines would cut at separators inside a sentence."""
    with path.open(encoding="utf-8") as file:
        return [line.rstrip("\n") for line in file]


def _dev_fifth(task: str, rows: Sequence[Row]) -> Corpus:
    """A fifth of the groups, whole, are dev."""
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
    "privacyqa": privacyqa,
    "bshift": bshift,
}
