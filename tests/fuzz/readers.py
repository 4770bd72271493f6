"""The readers of foreign files, each fed with bytes, and a sound file for each to start from."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lottery import params, subnetwork
from lottery.analysis import published_masks
from lottery.attention import annotated
from lottery.data import corpora, glue
from lottery.model import checkpoint
from stages.shell.sections import SECTIONS
from tests import toys
from tests.project import ROOT

Reader = Callable[[Path, bytes], object]


def parameters(folder: Path, content: bytes) -> object:
    """params.yaml, and every section in it."""
    (folder / "params.yaml").write_bytes(content)
    return params.read_sections(SECTIONS, params.read(folder / "params.yaml"))


def masks_table(folder: Path, content: bytes) -> object:
    """A CSV table of somebody's masks."""
    (folder / "masks.csv").write_bytes(content)
    return published_masks.read(folder / "masks.csv")


def masks_array(folder: Path, content: bytes) -> object:
    """Somebody's masks as .npy arrays."""
    place = folder / "toy" / "seed_1"
    place.mkdir(parents=True, exist_ok=True)
    (place / "head_mask.npy").write_bytes(content)
    (place / "mlp_mask.npy").write_bytes(content)
    return published_masks.read(folder)


def checkpoint_config(folder: Path, content: bytes) -> object:
    """The config.json of a checkpoint."""
    (folder / "config.json").write_bytes(content)
    return checkpoint.read_config(folder)


def checkpoint_weights(folder: Path, content: bytes) -> object:
    """The model.safetensors of a checkpoint."""
    if not (folder / "config.json").exists():
        checkpoint.save(toys.encoder(), folder)
    (folder / "model.safetensors").write_bytes(content)
    return checkpoint.load(folder, classes=2)


def subnetworks(folder: Path, content: bytes) -> object:
    """A saved subnetwork."""
    (folder / "good.safetensors").write_bytes(content)
    return subnetwork.load(folder / "good.safetensors")


def glue_parquet(folder: Path, content: bytes) -> object:
    """A split of a GLUE task as Parquet."""
    for split in ("train", "validation"):
        (folder / f"{split}-0.parquet").write_bytes(content)
    return glue.saved("rte", folder)


def glue_arrow(folder: Path, content: bytes) -> object:
    """A split of a GLUE task as `save_to_disk` leaves it: the first line its state.json, the rest its table."""
    state, _, table = content.partition(b"\n")
    for split in ("train", "validation"):
        (folder / split).mkdir(exist_ok=True)
        (folder / split / "state.json").write_bytes(state)
        (folder / split / "data.arrow").write_bytes(table)
    return glue.saved("rte", folder)


def corpus_tsv(folder: Path, content: bytes) -> object:
    """A packaged corpus as a table of tabs."""
    for split in ("train", "dev"):
        (folder / f"{split}.tsv").write_bytes(content)
    return corpora.packaged("stsb", folder)


def corpus_json(folder: Path, content: bytes) -> object:
    """A packaged corpus as lines of JSON."""
    (folder / "pairs.jsonl").write_bytes(content)
    return corpora.packaged("privacyqa", folder)


def labelled_maps(folder: Path, content: bytes) -> object:
    """Attention maps that people labelled: the first half a table, the rest an array."""
    middle = len(content) // 2
    (folder / "labels.csv").write_bytes(content[:middle])
    (folder / "map.npy").write_bytes(content[middle:])
    return annotated.read(folder)


READERS: dict[str, Reader] = {
    reader.__name__.replace("_", "-"): reader
    for reader in (
        parameters, masks_table, masks_array, checkpoint_config, checkpoint_weights, subnetworks,
        glue_parquet, glue_arrow, corpus_tsv, corpus_json, labelled_maps,
    )
}  # fmt: skip


def seeds(folder: Path) -> dict[str, bytes]:
    """A sound file for each reader, or several in one as the reader takes them."""
    checkpoint.save(toys.encoder(), folder)
    toys.subnetwork(1).save(folder / "good.safetensors", task="rte", seed=1)
    np.save(folder / "map.npy", np.eye(2))
    table = pa.table({"sentence1": ["a", "b"], "sentence2": ["c", "d"], "label": [0, 1]})
    pq.write_table(table, folder / "rte.parquet")
    with (
        pa.OSFile(str(folder / "rte.arrow"), "wb") as file,
        pa.ipc.new_stream(file, table.schema) as out,
    ):
        out.write_table(table)
    state = json.dumps({"_data_files": [{"filename": "data.arrow"}]}).encode()
    array, maps = (folder / "map.npy").read_bytes(), b"file,pattern\nmap.npy,block\n"
    pair = json.dumps({"question": "a", "context": "b", "answer": "True"}).encode()
    return {
        "parameters": (ROOT / "params.yaml").read_bytes(),
        "masks-table": b"task,seed,heads,mlps\ntoy,1,01 11,10\n",
        "masks-array": array,
        "checkpoint-config": (folder / "config.json").read_bytes(),
        "checkpoint-weights": (folder / "model.safetensors").read_bytes(),
        "subnetworks": (folder / "good.safetensors").read_bytes(),
        "glue-parquet": (folder / "rte.parquet").read_bytes(),
        "glue-arrow": state + b"\n" + (folder / "rte.arrow").read_bytes(),
        "corpus-tsv": b"main\tx\t1\t1\t2.5\ta cat\ta dog\n",
        "corpus-json": pair + b"\n",
        "labelled-maps": maps.ljust(len(array), b"\n") + array,
    }
