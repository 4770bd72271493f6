"""The safetensors files of a checkpoint: one, or several that an index names."""

import json
from pathlib import Path

from lottery.errors import MALFORMED, UserError

SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
PICKLED = ("pytorch_model.bin", "pytorch_model.bin.index.json", "model.pt", "model.ckpt.index")
ADAPTER = "adapter_config.json"


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a checkpoint. Raises UserError if there are none, or if the index is malformed."""
    if (folder / SINGLE).exists():
        return [folder / SINGLE]
    index = folder / INDEX
    try:
        shards = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
        if not all(Path(shard).name == shard for shard in shards):
            raise ValueError("it names files elsewhere")
    except FileNotFoundError:
        raise UserError(f"{folder}: {SINGLE} is missing; {_remedy(folder)}") from None
    except MALFORMED as error:
        raise UserError(f"{index}: not an index of safetensors files: {error}") from None
    return [folder / shard for shard in shards]


def _remedy(folder: Path) -> str:
    if any((folder / name).exists() for name in PICKLED):
        return "pickled weights are not read, convert them with save_pretrained"
    return "give a folder made by save_pretrained"
