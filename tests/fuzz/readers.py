"""Readers of foreign files as functions of bytes, and a valid file to start from for each."""

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Dataset
from safetensors import safe_open

from cluster import simulation, workers
from lottery import params, subnetwork
from lottery.analysis import published_masks
from lottery.attention import annotated
from lottery.attention.patterns import PATTERNS
from lottery.bundle import archive
from lottery.checkpoint import config
from lottery.data import corpora, glue, tables, tokenizer
from lottery.export import bitmask
from lottery.model import checkpoint
from lottery.verification import hashes
from stages.shell import eta
from stages.shell.sections import SECTIONS
from tests import toys
from tests.project import ROOT
from tools import bundle

Reader = Callable[[Path, bytes], object]
TOKENIZER = b"""{"model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
"max_input_chars_per_word": 9, "vocab": {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "a": 3, "##b": 4}},
"normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type": "Whitespace"}, "added_tokens": [
{"id": 1, "content": "[CLS]", "special": true,
 "single_word": false, "lstrip": false, "rstrip": false, "normalized": false},
{"id": 2, "content": "[SEP]", "special": true,
 "single_word": false, "lstrip": false, "rstrip": false, "normalized": false}],
"post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]}}"""

RUN_LOCK = b"""schema: '2.0'
stages:
  check:
    cmd: python -m stages.check
    params: {params.yaml: {grid: {}}}
    deps: [{path: stages/check.py, md5: 0cc175b9c0f1b6a831c399e269772661}]
    outs: [{path: data/checked.json, md5: 8a80554c91d9fca8acb82f023de02f11}]
"""


def parameters(folder: Path, content: bytes) -> object:
    """params.yaml, and every section in it."""
    (folder / "params.yaml").write_bytes(content)
    return params.read_sections(SECTIONS, params.read(folder / "params.yaml"))


def masks_table(folder: Path, content: bytes) -> object:
    """A CSV table of masks made by others."""
    (folder / "masks.csv").write_bytes(content)
    return published_masks.read(folder / "masks.csv")


def masks_array(folder: Path, content: bytes) -> object:
    """An .npy array of a mask made by others, of heads alone."""
    cell = folder / "toy" / "seed_1"
    cell.mkdir(parents=True, exist_ok=True)
    (cell / "head_mask.npy").write_bytes(content)
    return published_masks.read(folder)


def checkpoint_config(folder: Path, content: bytes) -> object:
    """The config.json of a checkpoint."""
    (folder / "config.json").write_bytes(content)
    return config.read(folder)


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


def bit_mask(folder: Path, content: bytes) -> object:
    """An m-pruned encoder as bit mask and kept weights."""
    (folder / "mask.safetensors").write_bytes(content)
    return bitmask.load(folder / "mask.safetensors")


def glue_parquet(folder: Path, content: bytes) -> object:
    """The Parquet file of a split of a GLUE task."""
    for split in ("train", "validation"):
        (folder / f"{split}-0.parquet").write_bytes(content)
    return glue.read_glue("rte", folder)


def glue_arrow(folder: Path, content: bytes) -> object:
    """A split of a GLUE task as saved by `save_to_disk`: the first line is state.json, the rest the table."""
    state, _, table = content.partition(b"\n")
    for split in ("train", "validation"):
        (folder / split).mkdir(exist_ok=True)
        (folder / split / "state.json").write_bytes(state)
        (folder / split / "data.arrow").write_bytes(table)
    return glue.read_glue("rte", folder)


def corpus_tsv(folder: Path, content: bytes) -> object:
    """A packaged corpus in tab-separated columns."""
    for split in ("train", "dev"):
        (folder / f"{split}.tsv").write_bytes(content)
    return corpora.read_packaged("stsb", folder)


def corpus_json(folder: Path, content: bytes) -> object:
    """A packaged corpus in lines of JSON."""
    (folder / "pairs.jsonl").write_bytes(content)
    return corpora.read_packaged("privacyqa", folder)


def labelled_maps(folder: Path, content: bytes) -> object:
    """Labelled attention maps: the first half of the bytes is the table of labels, the rest a map."""
    middle = len(content) // 2
    (folder / "labels.csv").write_bytes(content[:middle])
    (folder / "map.npy").write_bytes(content[middle:])
    return annotated.read(folder)


def bundles(folder: Path, content: bytes) -> object:
    """The archive of a run."""
    (folder / "bundle.zip").write_bytes(content)
    with TemporaryDirectory(dir=folder) as opened:
        return archive.extract(folder / "bundle.zip", Path(opened))


def cluster_file(folder: Path, content: bytes) -> object:
    """The description of a cluster."""
    (folder / "cluster.yaml").write_bytes(content)
    return workers.read(folder / "cluster.yaml")


def times_table(folder: Path, content: bytes) -> object:
    """A CSV table of the times of jobs."""
    (folder / "times.csv").write_bytes(content)
    return simulation.read_times(folder / "times.csv")


def own_csv(folder: Path, content: bytes) -> object:
    """A table of own data."""
    (folder / "rows.csv").write_bytes(content)
    return tables.read_table(folder / "rows.csv", ("text", "label"))


def own_lines(folder: Path, content: bytes) -> object:
    """Own data in lines of JSON."""
    (folder / "rows.jsonl").write_bytes(content)
    return tables.read_table(folder / "rows.jsonl", ("text", "label"))


def tokenizer_rules(folder: Path, content: bytes) -> object:
    """The tokenizer.json of a checkpoint."""
    if not (folder / "config.json").exists():
        checkpoint.save(toys.encoder(), folder)
    (folder / "tokenizer.json").write_bytes(content)
    return tokenizer.read_tokenizer(folder)


def shard_index(folder: Path, content: bytes) -> object:
    """The index of a checkpoint of several safetensors files."""
    if not (folder / "config.json").exists():
        checkpoint.save(toys.encoder(), folder)
        (folder / "model.safetensors").rename(folder / "part.safetensors")
    (folder / "model.safetensors.index.json").write_bytes(content)
    return checkpoint.load(folder, classes=2)


def own_parquet(folder: Path, content: bytes) -> object:
    """A Parquet file of own data."""
    (folder / "rows.parquet").write_bytes(content)
    return tables.read_table(folder / "rows.parquet", ("text", "label"))


def own_folder(folder: Path, content: bytes) -> object:
    """Own data that `save_to_disk` wrote: a line of state.json, one of dataset_info.json, the table."""
    state, info, table = (*content.split(b"\n", 2), b"", b"")[:3]
    (folder / "rows").mkdir(exist_ok=True)
    for name, part in (("state.json", state), ("dataset_info.json", info), ("data.arrow", table)):
        (folder / "rows" / name).write_bytes(part)
    return tables.read_table(folder / "rows", ("text", "label"))


def pipeline(folder: Path, content: bytes) -> object:
    """The dvc.yaml of a bundle."""
    (folder / "dvc.yaml").write_bytes(content)
    return eta.jobs(folder / "dvc.yaml", params.read(ROOT / "params.yaml"))


def run_lock(folder: Path, content: bytes) -> object:
    """The dvc.lock of a bundle."""
    (folder / "dvc.lock").write_bytes(content)
    return [*hashes.outputs(folder / "dvc.lock", ["check"], {"grid": {}}, bundle.is_record)]


READERS: dict[str, Reader] = {
    reader.__name__.replace("_", "-"): reader
    for reader in (
        parameters, masks_table, masks_array, checkpoint_config, checkpoint_weights, subnetworks,
        bit_mask, glue_parquet, glue_arrow, corpus_tsv, corpus_json, labelled_maps, bundles,
        cluster_file, times_table, own_csv, own_lines, tokenizer_rules,
        shard_index, own_parquet, own_folder, pipeline, run_lock,
    )
}  # fmt: skip


def valid_files(folder: Path) -> dict[str, bytes]:
    """A valid input for each reader; where a reader takes several files in one, all of them."""
    checkpoint.save(toys.encoder(), folder)
    toys.subnetwork(1).save(folder / "good.safetensors", task="rte", seed=1)
    kept = toys.weights(1, 0.3)
    bitmask.save(toys.encoder().cut(kept), kept, folder / "mask.safetensors")
    np.save(folder / "mask.npy", np.eye(2))
    np.save(folder / "map.npy", np.full((8, 8), 1 / 8, np.float32))
    table = pa.table({"sentence1": ["a", "b"], "sentence2": ["c", "d"], "label": [0, 1]})
    pq.write_table(table, folder / "rte.parquet")
    with (
        pa.OSFile(str(folder / "rte.arrow"), "wb") as file,
        pa.ipc.new_stream(file, table.schema) as out,
    ):
        out.write_table(table)
    state = json.dumps({"_data_files": [{"filename": "data.arrow"}]}).encode()
    array, mask = ((folder / name).read_bytes() for name in ("map.npy", "mask.npy"))
    rows = [f"map.npy,{pattern}" for pattern in (*PATTERNS, *PATTERNS)]
    maps = "\n".join(["file,pattern", *rows, ""]).encode()
    pair = json.dumps({"question": "a", "context": "b", "answer": "True"}).encode()
    archive.write(folder / "bundle.zip", {}, {}, {"good": "a ticket", "about": "a run"})
    own = pa.table({"text": ["a film", "a plot"], "label": [0, 1]})
    pq.write_table(own, folder / "own.parquet")
    Dataset(own).save_to_disk(folder / "own")
    own_folder = b"\n".join(
        b" ".join(file.read_bytes().split()) if file.suffix == ".json" else file.read_bytes()
        for file in (
            folder / "own" / name
            for name in ("state.json", "dataset_info.json", "data-00000-of-00001.arrow")
        )
    ).replace(b"data-00000-of-00001.arrow", b"data.arrow")
    with safe_open(folder / "model.safetensors", "numpy") as weights:
        index = {"weight_map": dict.fromkeys(weights.keys(), "part.safetensors")}
    return {
        "shard-index": json.dumps(index).encode(),
        "own-parquet": (folder / "own.parquet").read_bytes(),
        "own-folder": own_folder,
        "pipeline": (ROOT / "dvc.yaml").read_bytes(),
        "run-lock": RUN_LOCK,
        "cluster-file": b"version: 1\nmodule: distributed\nclass: LocalCluster\nkwargs: {n_workers: 2}\n",
        "times-table": b"cell,seconds\nprune@*,900\n",
        "own-csv": b'text,label\na film,0\n"a, plot",1\n',
        "own-lines": b'{"text": "a film", "label": 0}\n{"text": "a plot", "label": 1}\n',
        "tokenizer-rules": TOKENIZER,
        "bundles": (folder / "bundle.zip").read_bytes(),
        "parameters": (ROOT / "params.yaml").read_bytes(),
        "masks-table": b"task,seed,heads,mlps\ntoy,1,01 11,10\n",
        "masks-array": mask,
        "checkpoint-config": (folder / "config.json").read_bytes(),
        "checkpoint-weights": (folder / "model.safetensors").read_bytes(),
        "subnetworks": (folder / "good.safetensors").read_bytes(),
        "bit-mask": (folder / "mask.safetensors").read_bytes(),
        "glue-parquet": (folder / "rte.parquet").read_bytes(),
        "glue-arrow": state + b"\n" + (folder / "rte.arrow").read_bytes(),
        "corpus-tsv": b"main\tx\t1\t1\t2.5\ta cat\ta dog\n",
        "corpus-json": pair + b"\n",
        "labelled-maps": maps.ljust(len(array), b"\n") + array,
    }
