"""GLUE tasks and BERT checkpoints from the Hugging Face hub, or from a folder saved from it."""

import json
import shutil
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError

from lottery.data.glue import HOW_TO_GET_GLUE, read_glue, text_columns
from lottery.errors import UserError

GLUE = "nyu-mll/glue"
REQUIRED = ("config.json", "model.safetensors", "tokenizer.json")
OPTIONAL = ("tokenizer_config.json", "vocab.txt")


def fetch_task(task: str, source: str, out: Path) -> None:
    """Save a GLUE task into the folder `out`, from the hub or from the folder `source`/<task>.

    Raises UserError if GLUE has no such task, it cannot be obtained, or its files are missing or malformed.
    """
    text_columns(task)
    if source == "hub":
        _download_task(task, out)
    else:
        folder = Path(source).expanduser() / task
        if not folder.is_dir():
            raise UserError(f"{folder}: no such folder; {HOW_TO_GET_GLUE}")
        shutil.copytree(folder, out, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*"))
    read_glue(task, out)
    origin = "hub" if source == "hub" else "folder"
    _describe(out, f"{GLUE}: {task}", "terms of the GLUE tasks' own sources", origin)


def fetch_checkpoint(name: str, out: Path) -> None:
    """Copy a BERT into the folder `out`; `name` is a folder or a hub id.

    Raises UserError if it cannot be obtained, is not a BERT, has only pickled weights, or has no fast tokenizer.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        label, origin = folder.name, "folder"
    else:
        folder, label, origin = _download_checkpoint(name), name, "hub"
    require_bert(folder, name)
    for file in (*REQUIRED, *OPTIONAL):
        if (folder / file).exists():
            shutil.copyfile(folder / file, out / file)
    _describe(out, label, "see the checkpoint's own page", origin)


def require_bert(folder: Path, name: str) -> None:
    """Raise UserError unless `folder` holds a BERT in safetensors with its fast tokenizer."""
    for file, remedy in REMEDIES.items():
        if not (folder / file).exists():
            raise UserError(f"checkpoint {name}: {file} is missing; {remedy}")
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"checkpoint {name}: config.json is not JSON: {error}") from None
    architecture = config.get("model_type") if isinstance(config, dict) else None
    if architecture != "bert":
        raise UserError(
            f"checkpoint {name}: model_type is {architecture!r}; only 'bert' encoders are supported"
        )


REMEDIES = {
    "config.json": "give a folder made by save_pretrained, or a hub id",
    "model.safetensors": "pickled weights are refused; convert them with save_pretrained",
    "tokenizer.json": "save the fast tokenizer beside the weights (AutoTokenizer, save_pretrained)",
}


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
        return Path(snapshot_download(name, allow_patterns=[*REQUIRED, *OPTIONAL]))
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise UserError(
            f"encoder.checkpoint = {name!r}: there is no such folder, and it cannot be downloaded"
            f" from the hub ({_first_line(error)}); allow access to the hub, or name a folder saved"
            " by save_pretrained"
        ) from None


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].removeprefix("Got: ")


def _describe(folder: Path, name: str, licence: str, source: str) -> None:
    parts = [[{"package": name, "licence": licence, "source": source}]]
    text = json.dumps({"name": name, "parts": parts, "notes": []}, indent=2)
    (folder / "asset.json").write_text(text + "\n", encoding="utf-8")
