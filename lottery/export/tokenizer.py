"""The tokenizer that goes with an exported model."""

import json
from collections.abc import Mapping
from pathlib import Path

from tokenizers import Tokenizer

from lottery.errors import UserError


def files(folder: Path, max_length: int) -> Mapping[str, str]:
    """The texts of the tokenizer's files by name, from the folder of the pre-trained encoder.

    As in the experiment, texts are truncated to `max_length` tokens, and nothing is padded. Raises UserError if the
    folder has no readable tokenizer.
    """
    path = folder / "tokenizer.json"
    try:
        tokenizer = Tokenizer.from_file(str(path))
        config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    except Exception as error:  # noqa: BLE001 - tokenizers raises nothing narrower
        raise UserError(f"{path}: no readable tokenizer: {error}") from None
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_length, strategy="longest_first")
    config.pop("name_or_path", None)
    config["model_max_length"] = max_length
    vocabulary = folder / "vocab.txt"
    texts = {"vocab.txt": vocabulary.read_text(encoding="utf-8")} if vocabulary.exists() else {}
    return texts | {
        "tokenizer.json": tokenizer.to_str(pretty=True) + "\n",
        "tokenizer_config.json": json.dumps(config, indent=2) + "\n",
    }


def write(texts: Mapping[str, str], folder: Path) -> None:
    """Write the files of a tokenizer into a folder, which is created if it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
