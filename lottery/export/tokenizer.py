"""The tokenizer that goes with an exported model."""

import json
from collections.abc import Mapping
from pathlib import Path

import tokenizers

from lottery.checkpoint import config
from lottery.data.tokenizer import Tokenizer


def files(folder: Path, max_length: int) -> Mapping[str, str]:
    """The texts of the tokenizer's files by name, from the folder of the pre-trained encoder.

    As in the experiment, texts are truncated to `max_length` tokens, and nothing is padded. Raises UserError if the
    folder has no readable tokenizer.
    """
    rules, about = Tokenizer(folder, max_length).text, config.read(folder)
    types = ["token_type_ids"] if about.type_vocab_size > 1 else []
    settings = {
        # The classes of families put rules of their own in the place of some that tokenizer.json has.
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_input_names": ["input_ids", *types, "attention_mask"],
        "model_max_length": max_length,
        "pad_token": _padding(tokenizers.Tokenizer.from_str(rules), about.pad_token_id),
    }
    return {
        "tokenizer.json": rules,
        "tokenizer_config.json": json.dumps(settings, indent=2) + "\n",
    }


def _padding(tokenizer: tokenizers.Tokenizer, place: int) -> str:
    """The special token at a place, else the one that ends a text: no attention is paid to padding."""
    special = {
        at: token for at, token in tokenizer.get_added_tokens_decoder().items() if token.special
    }
    return special[place].content if place in special else tokenizer.encode("").tokens[-1]


def write(texts: Mapping[str, str], folder: Path) -> None:
    """Write the files of a tokenizer into a folder, which is created if it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
