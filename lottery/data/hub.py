"""GLUE tasks and BERT checkpoints from the Hugging Face hub, or from a folder saved from it."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError

from lottery.checkpoint.weight_files import ADAPTER, INDEX, weight_files
from lottery.data.glue import HOW_TO_GET_GLUE, read_glue, text_columns
from lottery.errors import UserError

GLUE = "nyu-mll/glue"
REQUIRED = ("config.json", "tokenizer.json")
OPTIONAL = ("tokenizer_config.json", "vocab.txt", INDEX)
WEIGHTS = ("model*.safetensors", ADAPTER)


def fetch_task(task: str, source: str, out: Path) -> None:
    """Save a GLUE task into the folder `out`, from the hub or from the folder `source`/<task>.

    Raises UserError if GLUE has no such task, it cannot be obtained, or its files are missing or malformed.
    """
    text_columns(task)
    if source == "hub":
        _download_task(task, out)
        read_glue(task, out)
    else:
        folder = Path(source).expanduser() / task
        if not folder.is_dir():
            raise UserError(f"{folder}: no such folder; {HOW_TO_GET_GLUE}")
        read_glue(task, folder)
        shutil.copytree(folder, out, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*"))
    origin = "hub" if source == "hub" else "folder"
    _describe(out, f"{GLUE}: {task}", "terms of the GLUE tasks' own sources", origin)


def fetch_checkpoint(name: str, out: Path) -> list[str]:
    """Copy a BERT into the folder `out`; `name` is a folder or a hub id. Returns notes on it.

    Raises UserError if it cannot be obtained, or if it cannot be used (`lottery.data.inspection`).
    """
    from lottery.data.inspection import inspect  # late: it imports torch, which data do not need

    folder = Path(name).expanduser()
    if folder.is_dir():
        label, origin = folder.name, "folder"
    else:
        folder, label, origin = _download_checkpoint(name), name, "hub"
    notes = inspect(folder)
    files = [folder / file for file in (*REQUIRED, *OPTIONAL)] + weight_files(folder)
    for file in files:
        if file.exists():
            shutil.copyfile(file, out / file.name)
    _describe(out, label, "see the checkpoint's own page", origin, notes)
    return notes


def _download_task(task: str, out: Path) -> None:
    # Imported late: `datasets` takes a second or more, and no other source of data needs it.
    from datasets import load_dataset
    from datasets.exceptions import DatasetsError

    try:
        load_dataset(GLUE, task).save_to_disk(out)
    except (HfHubHTTPError, DatasetsError, OSError, ValueError) as error:
        reason = _first_line(error)
        raise UserError(f"cannot download {task} of {GLUE}: {reason}; {HOW_TO_GET_GLUE}") from None


def _download_checkpoint(name: str) -> Path:
    try:
        return Path(snapshot_download(name, allow_patterns=[*REQUIRED, *OPTIONAL, *WEIGHTS]))
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise UserError(
            f"encoder.checkpoint = {name!r}: there is no such folder, and it cannot be downloaded"
            f" from the hub ({_first_line(error)}); allow access to the hub, or name a folder saved"
            " by save_pretrained"
        ) from None


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].removeprefix("Got: ")


def _describe(
    folder: Path, name: str, licence: str, source: str, notes: Sequence[str] = ()
) -> None:
    parts = [[{"package": name, "licence": licence, "source": source}]]
    text = json.dumps({"name": name, "parts": parts, "notes": notes}, indent=2)
    (folder / "asset.json").write_text(text + "\n", encoding="utf-8")
