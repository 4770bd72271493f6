"""WordPiece tokenizers with fewer pieces, all ids renumbered.

A word is split into the longest piece that it begins with, then the longest that the rest begins with, and so on. So a
word that consists of kept pieces is split as before: the longest of all pieces is the longest of those that are kept.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lottery.errors import UserError

Files = Mapping[str, str]
"""The texts of a tokenizer's files by name; ids are in tokenizer.json only."""
Ids = NDArray[np.int64]
TOKENIZER = "tokenizer.json"


def indispensable(files: Files) -> Ids:
    """Ids of the special tokens, and of every piece of one character, of which any word can be spelled."""
    tokenizer = _parsed(files)
    prefix = tokenizer["model"]["continuing_subword_prefix"]
    characters = [
        place
        for piece, place in tokenizer["model"]["vocab"].items()
        if len(piece.removeprefix(prefix)) == 1
    ]
    return np.unique([*characters, *(token["id"] for token in tokenizer["added_tokens"])])


def reduced(files: Files, kept: Ids) -> dict[str, str]:
    """The files with the pieces `kept` only, whose ids are their places in it; it must have the indispensable ones.

    Raises UserError if the tokenizer is none of WordPiece.
    """
    places = {int(old): place for place, old in enumerate(kept)}
    tokenizer = _parsed(files)
    vocabulary = tokenizer["model"]["vocab"]
    tokenizer["model"]["vocab"] = {
        piece: places[old] for piece, old in vocabulary.items() if old in places
    }
    for holder, key in _ids(tokenizer):
        holder[key] = places[holder[key]]
    return {**files, TOKENIZER: json.dumps(tokenizer, indent=2, ensure_ascii=False) + "\n"}


def _parsed(files: Files) -> dict[str, Any]:
    tokenizer: dict[str, Any] = json.loads(files[TOKENIZER])
    kind = tokenizer["model"].get("type")
    if kind != "WordPiece":
        raise UserError(f"{TOKENIZER}: the model is {kind}; only a WordPiece vocabulary can be cut")
    return tokenizer


def _ids(tokenizer: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Every place of an id outside the vocabulary: of special tokens, by name or in a template, and of padding."""
    yield from ((token, "id") for token in tokenizer["added_tokens"])
    if tokenizer.get("padding"):
        yield tokenizer["padding"], "pad_id"
    processor = tokenizer.get("post_processor") or {}
    for special in processor.get("special_tokens", {}).values():  # TemplateProcessing
        yield from ((special["ids"], at) for at in range(len(special["ids"])))
    yield from ((processor[end], 1) for end in ("cls", "sep") if end in processor)  # BertProcessing
