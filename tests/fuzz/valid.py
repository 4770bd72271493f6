"""A valid file for every fuzzed reader, to start from."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Dataset
from safetensors import safe_open

from lottery.attention.patterns import PATTERNS
from lottery.bundle import archive
from lottery.export import bitmask
from lottery.model import checkpoint
from tests import toys
from tests.project import ROOT

TOKENIZER = b"""{"model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
"max_input_chars_per_word": 9, "vocab": {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "a": 3, "##b": 4}},
"normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type": "Whitespace"}, "added_tokens": [
{"id": 1, "content": "[CLS]", "special": true,
 "single_word": false, "lstrip": false, "rstrip": false, "normalized": false},
{"id": 2, "content": "[SEP]", "special": true,
 "single_word": false, "lstrip": false, "rstrip": false, "normalized": false}],
"post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]}}"""

SAVED = b"data-00000-of-00001.arrow"
RUN_LOCK = b"""schema: '2.0'
stages:
  check:
    cmd: python -m stages.check
    params: {params.yaml: {grid: {}}}
    deps: [{path: stages/check.py, md5: 0cc175b9c0f1b6a831c399e269772661}]
    outs: [{path: data/checked.json, md5: 8a80554c91d9fca8acb82f023de02f11}]
"""


def valid_files(folder: Path) -> dict[str, bytes]:
    """A valid input for each reader; where a reader takes several files in one, all of them."""
    return (
        {
            "pipeline": (ROOT / "dvc.yaml").read_bytes(),
            "run-lock": RUN_LOCK,
            "cluster-file": b"version: 1\nmodule: distributed\nclass: LocalCluster\nkwargs: {n_workers: 2}\n",
            "times-table": b"cell,seconds\nprune@*,900\n",
            "parameters": (ROOT / "params.yaml").read_bytes(),
            "tokenizer-rules": TOKENIZER,
        }
        | {name: path.read_bytes() for name, path in _binaries(folder).items()}
        | _texts(folder)
        | _tables(folder)
    )


def _binaries(folder: Path) -> dict[str, Path]:
    """Files of checkpoints, tickets and bundles."""
    checkpoint.save(toys.encoder(), folder)
    toys.subnetwork(1).save(folder / "good.safetensors", task="rte", seed=1)
    kept = toys.weights(1, 0.3)
    bitmask.save(toys.encoder().pruned(kept), kept, folder / "mask.safetensors")
    np.save(folder / "mask.npy", np.eye(2))
    archive.write(folder / "bundle.zip", {}, {}, {"good": "a ticket", "about": "a run"})
    with safe_open(folder / "model.safetensors", "numpy") as weights:
        index = {"weight_map": dict.fromkeys(weights.keys(), "part.safetensors")}
    (folder / "index.json").write_text(json.dumps(index), encoding="utf-8")
    names = {
        "shard-index": "index.json", "bundles": "bundle.zip", "masks-array": "mask.npy",
        "checkpoint-config": "config.json", "checkpoint-weights": "model.safetensors",
        "subnetworks": "good.safetensors", "bit-mask": "mask.safetensors",
    }  # fmt: skip
    return {reader: folder / name for reader, name in names.items()}


def _texts(folder: Path) -> dict[str, bytes]:
    """Lines and tables of text; labels of attention maps with a map behind them."""
    np.save(folder / "map.npy", np.full((8, 8), 1 / 8, np.float32))
    array = (folder / "map.npy").read_bytes()
    rows = [f"map.npy,{pattern}" for pattern in (*PATTERNS, *PATTERNS)]
    maps = "\n".join(["file,pattern", *rows, ""]).encode()
    return {
        "own-csv": b'text,label\na film,0\n"a, plot",1\n',
        "own-lines": b'{"text": "a film", "label": 0}\n{"text": "a plot", "label": 1}\n',
        "masks-table": b"task,seed,heads,mlps\ntoy,1,01 11,10\n",
        "corpus-tsv": b"main\tx\t1\t1\t2.5\ta cat\ta dog\n",
        "corpus-json": b'{"question": "a", "context": "b", "answer": "True"}\n',
        "labelled-maps": maps.ljust(len(array), b"\n") + array,
    }


def _tables(folder: Path) -> dict[str, bytes]:
    """Tables of GLUE and own ones, as Parquet and as `save_to_disk` writes them."""
    glue = pa.table({"sentence1": ["a", "b"], "sentence2": ["c", "d"], "label": [0, 1]})
    own = pa.table({"text": ["a film", "a plot"], "label": [0, 1]})
    files = dict[str, bytes]()
    for name, table in (("glue", glue), ("own", own)):
        pq.write_table(table, folder / f"{name}.parquet")
        Dataset(table).save_to_disk(folder / name)
        files[f"{name}-parquet"] = (folder / f"{name}.parquet").read_bytes()
    state, info = (
        b" ".join((folder / "own" / name).read_bytes().split()).replace(SAVED, b"data.arrow")
        for name in ("state.json", "dataset_info.json")
    )
    glue_rows, own_rows = (
        (folder / name / SAVED.decode()).read_bytes() for name in ("glue", "own")
    )
    files["glue-arrow"] = b"\n".join([state, glue_rows])
    files["own-folder"] = b"\n".join([state, info, own_rows])
    return files
