"""A finished run that never ran, and bundles of it that are forged."""

import shutil
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from string import Template

from ruamel.yaml import YAML

from lottery import checksum, params
from lottery.bundle import archive
from lottery.seeds import rng
from lottery.ticket import Ticket
from lottery.tickets import controls
from lottery.tickets.methods import METHODS
from lottery.verification import hashes
from tests.project import ROOT, stages
from tests.records import ToyExperiment
from tests.reports import reported
from tools import open_bundle


class WithControls(ToyExperiment):
    """An experiment with all tickets that are files, controls and pre-trained ones of the size of the good ones."""

    def write(self, root: Path) -> None:
        super().write(root)
        for task, seed, method in product(self.tasks, self.seeds, METHODS.values()):
            folder = root / "subnetworks" / task / str(seed)
            for key in method.stored(self.controls, self.retrain):
                good = Ticket.load(folder, task, seed, key.good).subnetwork
                rule = controls.unsurvived if key.kind == "bad" else controls.exact
                draw = controls.pooled if method.prunes_weights else controls.by_part
                drawn = draw(good, partial(rule, rng=rng(task, seed, key.name)))
                if key.kind != "good":
                    Ticket(task, seed, key, drawn).save(folder)


def finished(root: Path) -> Path:
    """Fill a folder with a run of two tasks and seeds, with the lock file of a pipeline."""
    reported(WithControls(tasks=("sst2", "stsb"), seeds=(1, 2)), root)
    shutil.copy(ROOT / "dvc.yaml", root)
    for task in ("sst2", "stsb"):
        (root / "data" / "tasks").mkdir(exist_ok=True)
        (root / "data" / "tasks" / f"{task}.json").write_text("{}\n")
        (root / "data" / "assets" / task).mkdir(parents=True)
        (root / "data" / "assets" / task / "asset.json").write_text(f'{{"name": "{task}"}}\n')
    (root / "data" / "checked.json").write_text("{}\n")
    (root / "data" / "code").mkdir()
    (root / "data" / "code" / "report.txt").write_text(f"{'0' * 64}  stages/report.py\n")
    (root / "tickets" / "sst2" / "1" / "1" / "structured").mkdir(parents=True)
    (root / "tickets" / "sst2" / "1" / "1" / "structured" / "model.safetensors").write_bytes(
        b"weights"
    )
    (root / "models").mkdir()
    write_lock(root)
    return root


def write_lock(root: Path) -> None:
    """A dvc.lock that records the outputs below `root`, as far as they are there."""
    parameters = params.read(root / "params.yaml")
    grid, entries = parameters["grid"], {}
    for name, stage in stages().items():
        axes = {
            axis: grid[values.strip("${}").split(".")[1]]
            for axis, values in stage.get("matrix", {}).items()
        }
        for cell in product(*axes.values()):
            job = "@".join(filter(None, (name, "-".join(map(str, cell)))))
            named = {f"item_{axis}": value for axis, value in zip(axes, cell, strict=True)}
            outs = [*stage.get("outs", ()), *stage.get("metrics", ())]
            paths = [out if isinstance(out, str) else next(iter(out)) for out in outs]
            paths = [Template(path.replace("item.", "item_")).substitute(named) for path in paths]
            recorded = [
                {"path": path, "md5": hashes.digest(root / path)}
                for path in paths
                if (root / path).exists()
            ]
            entries[job] = {"cmd": "", "outs": recorded, "params": {"params.yaml": parameters}}
    with (root / "dvc.lock").open("w") as file:
        YAML().dump({"schema": "2.0", "stages": entries}, file)


def forged(bundled: Path, folder: Path, forge: Callable[[dict[str, Path]], None]) -> Path:
    """A bundle with the files of another one as `forge` leaves them, and the checksums that these have."""
    open_bundle.main(bundled, folder / "opened", check=False)
    paths = [path for path in (folder / "opened").rglob("*") if path.is_file()]
    files = {path.relative_to(folder / "opened").as_posix(): path for path in paths}
    del files[archive.CHECKSUMS]
    forge(files)
    sums = {name: checksum.of_file(path) for name, path in files.items()}
    archive.write(folder / "forged.zip", files, sums, {})
    return folder / "forged.zip"
