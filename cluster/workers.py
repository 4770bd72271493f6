"""Where workers come from: this machine, a scheduler that is there, or what Dask's libraries can start."""

import importlib
import io
import logging
import os
import sys
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any, Literal

import dask.config
import msgspec
from distributed import Client, Nanny, Scheduler, SpecCluster
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from cluster.job import CORES
from lottery.errors import UserError

# Dask tells what its parts do; what they warn of is enough.
QUIET = logging.WARNING
logging.getLogger("distributed").setLevel(QUIET)
AGAIN = 5.0
PARTIAL = "LOTTERY_PARTIAL"
MODULES = ("dask_jobqueue", "dask_kubernetes.operator", "dask_cuda", "distributed")


class Described(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"kind": "class"}):
    """A cluster as Dask writes one down (dask-ctl's format): the class, where it is, and its arguments."""

    version: Literal[1]
    module: str
    kind: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = {}


@contextmanager
def local(jobs: int, gpus: int, folder: Path, partial: Path) -> Iterator[Client]:
    """So many workers on this machine, which share its cores, its GPUs, and what stopped cells have finished."""
    cores = sorted(os.sched_getaffinity(0))
    shared = {PARTIAL: str(partial.resolve())}
    workers = {
        number: {
            "cls": Nanny,
            "options": {
                "nthreads": 1,
                "silence_logs": QUIET,
                "resources": {"GPU": 1} if gpus else {},
                "local_directory": str(folder),
                "env": shared | _share(number, cores, jobs, gpus),
            },
        }
        for number in range(jobs)
    }
    scheduler = {
        "cls": Scheduler,
        "options": {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"},
    }
    with (
        dask.config.set(
            {"distributed.nanny.pre-spawn-environ": {}}
        ),  # it is set in this process, for ever
        SpecCluster(workers=workers, scheduler=scheduler, name="lottery") as cluster,
    ):
        yield from _client(cluster)


@contextmanager
def at(address: str) -> Iterator[Client]:
    """The workers of a scheduler that runs already."""
    yield from _client(address)


@contextmanager
def described(file: Path, jobs: int | None) -> Iterator[Client]:
    """Workers from the cluster that a YAML file describes; without `jobs`, as many as the file says."""
    described = read(file)
    try:
        kind = getattr(importlib.import_module(described.module), described.kind)
    except (ImportError, AttributeError) as error:
        raise UserError(
            f"{file}: {error}; install what starts this cluster beside the project"
        ) from None
    with kind(*described.args, **described.kwargs) as cluster, _manned(cluster, jobs):
        yield from _client(cluster)


@contextmanager
def _manned(cluster: Any, jobs: int | None) -> Iterator[None]:
    """Ask for the workers again and again: a batch job ends at its time limit or with its machine, for good."""
    over = Event()

    def ask() -> None:
        while not over.is_set():
            cluster.scale(jobs)
            over.wait(AGAIN)

    if jobs is not None:
        Thread(target=ask, daemon=True).start()
    try:
        yield
    finally:
        over.set()


def read(file: Path) -> Described:
    """The cluster of a file; a UserError for anything but a Dask cluster."""
    try:
        found = msgspec.convert(YAML(typ="safe", pure=True).load(file), Described)
    except (OSError, YAMLError, msgspec.ValidationError) as error:
        raise UserError(
            f"{file}: not a description of a Dask cluster: {' '.join(str(error).split())}"
        ) from None
    if found.module not in MODULES:
        raise UserError(f"{file}: module = {found.module!r} is none of {', '.join(MODULES)}")
    return found


def _client(where: Any) -> Iterator[Client]:
    try:
        client = Client(where, timeout="30s")
    except OSError as error:
        raise UserError(f"{where}: no Dask scheduler answers there ({error})") from None
    with client, TemporaryDirectory() as apart:
        archive = Path(apart) / "job.zip"
        archive.write_bytes(_code())
        client.upload_file(str(archive))
        # A scheduler in this process looks there first, and so would workers that it starts again, in vain.
        sys.path[:] = [place for place in sys.path if Path(place).name != archive.name]
        yield client


def _code() -> bytes:
    """What a worker must know, as an archive that Python imports from."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr("cluster/__init__.py", "")
        archive.writestr("cluster/job.py", Path(__file__).with_name("job.py").read_bytes())
    return held.getvalue()


def _share(number: int, cores: list[int], jobs: int, gpus: int) -> dict[str, str]:
    """A worker's part of the machine; more workers than cores share them."""
    own = cores[number % len(cores) :: jobs] if jobs < len(cores) else [cores[number % len(cores)]]
    share = {CORES: ",".join(map(str, own))}
    return share | {"CUDA_VISIBLE_DEVICES": str(number % gpus)} if gpus else share
