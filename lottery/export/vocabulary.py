"""A smaller vocabulary for one task: word embeddings that its texts do not use are dropped, from the tokenizer too.

Texts made of kept pieces have the same tokens and logits as before. In other texts a word whose pieces were dropped is
spelled in shorter ones, in the end in single characters, for which nothing was fine-tuned: the model stays usable on
them, but worse. Where every character of a piece is a piece itself, as in BERT's own vocabularies, a word is unknown
exactly if it was before.
"""

from collections.abc import Iterable
from dataclasses import replace

import msgspec
import numpy as np
import torch

from lottery.data.examples import Examples
from lottery.export import wordpiece
from lottery.export.wordpiece import Files, Ids
from lottery.model.encoder import Encoder


def occurring(files: Files, splits: Iterable[Examples], first: int = 0) -> Ids:
    """Ids of the pieces that a task keeps, ascending: those of its examples, and those that no vocabulary can lack.

    `files` are the tokenizer's, `first` is the encoder's first position: if it counts from the padding token's id, the
    ids up to that stay as they are. Raises UserError if the tokenizer is none of WordPiece.
    """
    used = [split.ids_T.astype(np.int64) for split in splits]
    return np.unique(np.concatenate([np.arange(first), wordpiece.indispensable(files), *used]))


def reduced(encoder: Encoder, files: Files, kept: Ids) -> tuple[Encoder, dict[str, str]]:
    """The encoder and the tokenizer's files with the pieces `kept`, of `occurring`, only; other tensors are shared."""
    state = encoder.state_dict()
    words = "embeddings.words.weight"
    state[words] = state[words][torch.from_numpy(kept).to(encoder.device)]
    config = msgspec.structs.replace(encoder.config, vocab_size=len(kept))
    small = Encoder.of(config, encoder.classes, state)
    return small.train(encoder.training), wordpiece.reduced(files, kept)


def renumbered(examples: Examples, kept: Ids) -> Examples:
    """The examples with the ids of the smaller vocabulary. Raises ValueError if it lacks any of their pieces."""
    if foreign(examples, kept):
        raise ValueError(f"{examples.task} {examples.split} has pieces that the vocabulary lacks")
    return replace(examples, ids_T=np.searchsorted(kept, examples.ids_T).astype(np.int32))


def foreign(examples: Examples, kept: Ids) -> float:
    """Share of the examples' tokens that the smaller vocabulary lacks and has to spell otherwise, in [0, 1]."""
    return 1 - float(np.isin(examples.ids_T, kept).mean()) if len(examples.ids_T) else 0.0
