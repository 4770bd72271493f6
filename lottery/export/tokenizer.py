"""The tokenizer that goes with an exported model."""

import json
from collections.abc import Mapping
from pathlib import Path

from lottery.data.tokenizer import Tokenizer
from lottery.errors import UserError


def files(folder: Path, max_length: int) -> Mapping[str, str]:
    """The texts of the tokenizer's files by name, from the folder of the pre-trained encoder.

    As in the experiment, texts are truncated to `max_length` tokens, and nothing is padded. Raises UserError if the
    folder has no readable tokenizer.
    """
    rules, path = Tokenizer(folder, max_length).text, folder / "tokenizer_config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: no configuration of a tokenizer: {error}") from None
    config.pop("name_or_path", None)
    config["model_max_length"] = max_length
    vocabulary = folder / "vocab.txt"
    texts = {"vocab.txt": vocabulary.read_text(encoding="utf-8")} if vocabulary.exists() else {}
    return texts | {
        "tokenizer.json": rules,
        "tokenizer_config.json": json.dumps(config, indent=2) + "\n",
    }


def write(texts: Mapping[str, str], folder: Path) -> None:
    """Write the files of a tokenizer into a folder, which is created if it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
