"""Readers of foreign files as functions of bytes."""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from cluster import simulation, workers
from lottery import params, subnetwork
from lottery.analysis import published_masks
from lottery.attention import annotated
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
