"""GLUE tasks from the Hugging Face hub, or from a folder saved from it."""

import json
import shutil
from pathlib import Path

from huggingface_hub.errors import HfHubHTTPError

from lottery.data.assets import describe
from lottery.data.glue import FURTHER, HOW_TO_GET_GLUE, read_glue, text_columns
from lottery.errors import MALFORMED, UserError, first_line

GLUE = "nyu-mll/glue"


def fetch_task(task: str, source: str, out: Path) -> None:
    """Save a GLUE task into the folder `out`, from the hub or from the folder `source`/<task>.

    Raises UserError if GLUE has no such task, it cannot be obtained, or its files are missing or malformed.
    """
    text_columns(task)
    if source == "hub":
        _download_task(task, out)
        read_glue(task, out)
        _describe_glue(task, "hub", out)
        return
    folder = Path(source).expanduser() / task
    if not folder.is_dir():
        raise UserError(f"{folder}: no such folder; {HOW_TO_GET_GLUE}")
    read_glue(task, folder)
    shutil.copytree(folder, out, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".*"))
    if _is_glue(folder, task):
        _describe_glue(task, "folder", out)
    else:
        note = f"Rows of a folder in the place of GLUE's {task}; nothing in it says that they are GLUE's."
        describe(out, f"folder {folder.parent.name}/{task}", "not stated", "folder", [note])


def _describe_glue(task: str, origin: str, out: Path) -> None:
    licence = "terms of the GLUE tasks' own sources"
    describe(out, f"{GLUE}: {task}", licence, origin, _notes(task, out))


def _notes(task: str, folder: Path) -> list[str]:
    """The origin of the further dev split of a task, if its folder has one."""
    other = FURTHER.get(task)
    if other is None or not (folder / other.folder).exists():
        return []
    name = f"{other.hub}, {other.configuration}" if other.configuration else other.hub
    return [f"{other.split} is the split {other.part} of {name} ({other.origin}). {other.labels}"]


def _is_glue(folder: Path, task: str) -> bool:
    """True if the folder says that `datasets` saved it from this task of GLUE."""
    try:
        about = json.loads((folder / "train" / "dataset_info.json").read_text(encoding="utf-8"))
        # Older versions of `datasets` wrote no name of the data set, but that of its builder.
        names = {about.get("dataset_name"), about.get("builder_name")}
        return "glue" in names and about["config_name"] == task
    except MALFORMED:
        return False


def _download_task(task: str, out: Path) -> None:
    # Imported late: `datasets` takes a second or more, and no other source of data needs it.
    from datasets import load_dataset
    from datasets.exceptions import DatasetsError

    try:
        load_dataset(GLUE, task).save_to_disk(out)
        if other := FURTHER.get(task):
            texts = load_dataset(
                other.hub, other.configuration, split=other.part, revision=other.revision
            )
            texts.save_to_disk(out / other.folder)
    except (HfHubHTTPError, DatasetsError, OSError, ValueError) as error:
        reason, names = first_line(error), f"{task} of {GLUE}"
        if task in FURTHER:
            names += f" and {FURTHER[task].hub}"
        raise UserError(f"cannot download {names}: {reason}; {HOW_TO_GET_GLUE}") from None
