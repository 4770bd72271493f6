"""What comes from the hub, or from a folder saved from it: GLUE tasks and BERT checkpoints."""

import json
import shutil
from pathlib import Path

from datasets import load_dataset
from datasets.exceptions import DatasetsError
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError

from lottery.data.glue import WAYS_OUT, columns, saved
from lottery.errors import UserError

GLUE = "nyu-mll/glue"
NEEDED = ("config.json", "model.safetensors", "tokenizer.json")
WELCOME = ("tokenizer_config.json", "vocab.txt")


def fetch_task(task: str, source: str, out: Path) -> None:
    """A GLUE task, as saved, into the folder `out`: from the hub or from `source`/<task>."""
    columns(task)
    if source == "hub":
        _hub_task(task, out)
    else:
        found = Path(source).expanduser() / task
        if not found.is_dir():
            raise UserError(f"{found}: no such folder; {WAYS_OUT}")
        shutil.copytree(found, out, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*"))
    saved(task, out)
    origin = "hub" if source == "hub" else "folder"
    _describe(out, f"{GLUE}: {task}", "terms of the GLUE tasks' own sources", origin)


def fetch_checkpoint(name: str, out: Path) -> None:
    """The BERT `name`, a folder or a hub id, into the folder `out`.

    UserErrors: not reachable, not a BERT, weights that are only pickled, no fast tokenizer.
    """
    local = Path(name).expanduser()
    found, origin = (local, "folder") if local.is_dir() else (_hub_checkpoint(name), "hub")
    check(found, name)
    for part in (*NEEDED, *WELCOME):
        if (found / part).exists():
            shutil.copyfile(found / part, out / part)
    known = local.name if origin == "folder" else name
    _describe(out, known, "see the checkpoint's own page", origin)


def check(folder: Path, name: str) -> None:
    """A UserError unless `folder` holds a BERT in safetensors with its fast tokenizer."""
    for part, remedy in REMEDIES.items():
        if not (folder / part).exists():
            raise UserError(f"checkpoint {name}: {part} is missing; {remedy}")
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"checkpoint {name}: config.json is not JSON: {error}") from None
    kind = config.get("model_type") if isinstance(config, dict) else None
    if kind != "bert":
        raise UserError(
            f"checkpoint {name}: model_type is {kind!r}; only 'bert' encoders can be pruned"
        )


REMEDIES = {
    "config.json": "give a folder made by save_pretrained, or a hub id",
    "model.safetensors": "pickled weights are refused; convert them with save_pretrained",
    "tokenizer.json": "save the fast tokenizer beside the weights (AutoTokenizer, save_pretrained)",
}


def _hub_task(task: str, out: Path) -> None:
    try:
        load_dataset(GLUE, task).save_to_disk(out)
    except (HfHubHTTPError, DatasetsError, OSError, ValueError) as error:
        raise UserError(f"cannot download {task} of {GLUE}: {_short(error)}; {WAYS_OUT}") from None


def _hub_checkpoint(name: str) -> Path:
    try:
        return Path(snapshot_download(name, allow_patterns=[*NEEDED, *WELCOME]))
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise UserError(
            f"encoder.checkpoint = {name!r}: no such folder, and the hub did not give it"
            f" ({_short(error)}); allow access to it, or name a folder saved by save_pretrained"
        ) from None


def _short(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].removeprefix("Got: ")


def _describe(folder: Path, name: str, licence: str, source: str) -> None:
    parts = [[{"package": name, "licence": licence, "source": source}]]
    text = json.dumps({"name": name, "parts": parts, "notes": []}, indent=2)
    (folder / "asset.json").write_text(text + "\n", encoding="utf-8")
