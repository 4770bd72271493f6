"""Tokenizer of the encoder: rows of text to token ids."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import tokenizers
from numpy.typing import NDArray

from lottery.checkpoint import config
from lottery.data.examples import Examples
from lottery.data.rows import Row
from lottery.errors import UserError

Encoded = tuple[Examples, int]
"""The examples of a split, and the number of those that were truncated."""
BLOCK = 4096
"""Texts encoded at once; the full encodings of a whole corpus like MNLI would take gigabytes."""


def read_tokenizer(folder: Path) -> tokenizers.Tokenizer:
    """The tokenizer of the encoder in `folder`, with the rules that its tokenizer.json has, and no others.

    Raises UserError if the file is missing or malformed, does not fit the encoder, or does not put special tokens such
    as [CLS] and [SEP] around a text.
    """
    path, about = folder / "tokenizer.json", config.read(folder)
    if not path.exists():
        raise UserError(f"{path}: missing; save the encoder with its fast tokenizer")
    try:
        tokenizer = tokenizers.Tokenizer.from_file(str(path))
        framed = tokenizer.encode("a", "a").special_tokens_mask
    except Exception as error:  # noqa: BLE001 - tokenizers raises nothing narrower
        raise UserError(f"{path}: no readable tokenizer: {error}") from None
    if not (framed and framed[0] and framed[-1]):
        raise UserError(
            f"{path}: puts no special token such as [CLS] first and [SEP] last; an encoder is classified by its first"
        )
    ids = max(tokenizer.get_vocab().values(), default=-1) + 1
    if ids > about.vocab_size:
        raise UserError(
            f"{path}: {ids} tokens, but the encoder has embeddings for {about.vocab_size}; take both from one"
            " checkpoint"
        )
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


class Tokenizer:
    """The tokenizer in the folder of an encoder; long pairs lose tokens of their longer sentence first.

    Raises UserError if tokenizer.json cannot be used (`read_tokenizer`), or if `max_length` exceeds the encoder's
    positions.
    """

    def __init__(self, folder: Path, max_length: int) -> None:
        self._tokenizer, about = read_tokenizer(folder), config.read(folder)
        self._last_type = max(0, about.type_vocab_size - 1)
        if max_length > about.longest:
            raise UserError(
                f"parameters: data.max_length = {max_length}: the encoder in {folder} has"
                f" {about.longest} positions"
            )
        self._tokenizer.enable_truncation(max_length, strategy="longest_first")

    @property
    def identity(self) -> dict[str, str | int]:
        """Kind of its model, number of tokens, those around a text, SHA-256 of the vocabulary and of all rules."""
        vocabulary = sorted(self._tokenizer.get_vocab().items(), key=lambda item: item[1])
        framed = self._tokenizer.encode("a").tokens
        return {
            "class": type(self._tokenizer.model).__name__,
            "tokens": len(vocabulary),
            "first": framed[0],
            "last": framed[-1],
            "vocabulary_sha256": hashlib.sha256(json.dumps(vocabulary).encode()).hexdigest(),
            "tokenizer_sha256": hashlib.sha256(self._tokenizer.to_str().encode()).hexdigest(),
        }

    @property
    def text(self) -> str:
        """The text of a tokenizer.json that encodes as this tokenizer does."""
        return str(self._tokenizer.to_str(pretty=True)) + "\n"

    def encode(
        self, task: str, split: str, rows: Sequence[Row]
    ) -> tuple[Examples, NDArray[np.bool_]]:
        """The rows as N examples, and which of them were truncated [N]."""
        texts = [row.first if row.second is None else (row.first, row.second) for row in rows]
        # The empty arrays give concatenate something to work on if there are no rows.
        ids, types, truncated = [np.empty(0, np.int32)], [np.empty(0, np.int8)], list[bool]()
        for at in range(0, len(texts), BLOCK):
            for encoding in self._tokenizer.encode_batch_fast(texts[at : at + BLOCK]):
                ids.append(np.array(encoding.ids, np.int32))
                types.append(np.minimum(encoding.type_ids, self._last_type).astype(np.int8))
                truncated.append(bool(encoding.overflowing))
        examples = Examples(
            task=task,
            split=split,
            ids_T=np.concatenate(ids),
            types_T=np.concatenate(types),
            lengths_N=np.array([len(example) for example in ids[1:]], np.int32),
            labels_N=np.array([row.label for row in rows], np.float32),
        )
        return examples, np.array(truncated, bool)

    def encode_draws(
        self, task: str, draws: Mapping[int, Mapping[str, Sequence[Row]]]
    ) -> Iterator[tuple[int, dict[str, Encoded]]]:
        """Each seed with its splits as examples; a row that several of them have is encoded once."""
        rows = dict.fromkeys(row for splits in draws.values() for row in chain(*splits.values()))
        place = {row: at for at, row in enumerate(rows)}
        examples, truncated_N = self.encode(task, "all", list(rows))
        for seed, splits in draws.items():
            places = {
                split: np.array([place[row] for row in part], np.int64)
                for split, part in splits.items()
            }
            yield (
                seed,
                {
                    split: (replace(examples.take(at), split=split), int(truncated_N[at].sum()))
                    for split, at in places.items()
                },
            )
