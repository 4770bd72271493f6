"""Dask workers: started on this machine, reached through a running scheduler, or started by a Dask library."""

import importlib
import io
import logging
import os
import re
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, cast

import dask.config
import msgspec
from distributed import Client, Nanny, Scheduler, SpecCluster, SSHCluster
from distributed.deploy.cluster import Cluster
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from cluster import privacy
from cluster.job import CORES
from cluster.scaling import scaled
from lottery.errors import MALFORMED, UserError, first_line

LOG_LEVEL = logging.WARNING
logging.getLogger("distributed").setLevel(LOG_LEVEL)
UNQUOTED = re.compile(r"""[\s'"()\[\]{}&;<>|$`\\*?!#~]""")
"""Characters that a shell takes for something else."""
PARTIAL, GPUS = "LOTTERY_PARTIAL", "CUDA_VISIBLE_DEVICES"
TLS, LOCALHOST = "tls://", "127.0.0.1"
MODULES = ("dask_jobqueue", "dask_kubernetes.operator", "dask_cuda", "distributed")


class ClusterFile(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"kind": "class"}
):
    """A cluster in dask-ctl's format: module and class that start it, and the arguments of the class."""

    version: Literal[1]
    module: str
    kind: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = {}


@contextmanager
def local(count: int, gpus: int, folder: Path, partial: Path) -> Iterator[Client]:
    """Workers on this machine, which share its cores, its GPUs, and the partial results of interrupted stages."""
    cores, credentials = sorted(os.sched_getaffinity(0)), privacy.security()
    shared = {PARTIAL: str(partial.resolve())}
    workers = {
        number: {
            "cls": Nanny,
            "options": {
                "nthreads": 1,
                "host": LOCALHOST,
                "silence_logs": LOG_LEVEL,
                "protocol": TLS,
                "security": credentials,
                "resources": {"GPU": 1} if gpus else {},
                "local_directory": str(folder),
                "env": shared | _devices(number, cores, count, gpus),
            },
        }
        for number in range(count)
    }
    scheduler = {
        "cls": Scheduler,
        "options": {
            "host": LOCALHOST,
            "dashboard_address": privacy.LOOPBACK,
            "protocol": TLS,
            "security": credentials,
        },
    }
    with (
        # Dask would set these variables in this process too, and never reset them.
        dask.config.set({"distributed.nanny.pre-spawn-environ": {}}),
        SpecCluster(
            workers=workers, scheduler=scheduler, name="lottery", security=credentials
        ) as cluster,
        _connected(cluster) as client,
    ):
        yield client


@contextmanager
def at(address: str, trusted: bool) -> Iterator[Client]:
    """The workers of a running scheduler. Raises UserError if others can reach it, unless the network is trusted."""
    privacy.require_private(address, trusted)
    with _connected(address) as client:
        yield client


@contextmanager
def from_file(
    file: Path, count: int | None, left: Callable[[], int], trusted: bool, scratch: Path
) -> Iterator[Client]:
    """Workers of the cluster that a YAML file describes: `count` of them, or as many as the file says.

    Those without work are released once fewer jobs than workers are `left`. The cluster is encrypted if the file does
    not say otherwise. Certificates for batch jobs lie in the folder `scratch`. Raises UserError if others can reach its
    scheduler, unless the network is trusted.
    """
    description = read(file)
    kind = _kind(file, description)
    try:
        started = kind(*description.args, **_arguments(file, description, trusted, scratch))
    except (TypeError, ValueError, AttributeError, RuntimeError, OSError) as error:
        raise UserError(f"{file}: {description.kind} does not start: {first_line(error)}") from None
    with started as cluster:
        privacy.require_private(cluster.scheduler_address, trusted)
        with (
            _connected(cluster) as client,
            scaled(cluster, client, count, left),
        ):
            yield client


def _arguments(
    file: Path, description: ClusterFile, trusted: bool, scratch: Path
) -> dict[str, Any]:
    """Arguments for the class. Raises UserError if its cluster would be open, unless the network is trusted."""
    arguments = privacy.secured(description.kind, description.kwargs)
    if description.module == "dask_jobqueue":
        arguments.setdefault("shared_temp_directory", str(_batch_folder(scratch)))
    if not (trusted or arguments.get("security")):
        raise UserError(
            f"{file}: {description.kind} is not encrypted; give it `security: true` if it has that, or say"
            f" {privacy.FLAG} if nobody else is on its network"
        )
    return arguments


def _kind(file: Path, description: ClusterFile) -> Callable[..., Cluster]:
    """The class, or Dask's function, that starts a cluster. Raises UserError if there is no such thing."""
    try:
        kind = getattr(importlib.import_module(description.module), description.kind)
    except (ImportError, AttributeError) as error:
        raise UserError(f"{file}: {error}; install the package that starts this cluster") from None
    starts = kind is SSHCluster or (isinstance(kind, type) and issubclass(kind, Cluster))
    if not starts:
        raise UserError(
            f"{file}: class = {description.kind!r} of {description.module} is no Dask cluster"
        )
    return cast(Callable[..., Cluster], kind)


def _batch_folder(folder: Path) -> Path:
    """The folder, made, for files of batch jobs. Raises UserError if their scripts could not name it."""
    path = folder.resolve()
    for name in (str(path), sys.executable):
        if UNQUOTED.search(name):
            raise UserError(
                f"{name}: dask_jobqueue writes scripts that cannot name such a path; move the project to one without"
                " spaces and signs"
            )
    path.mkdir(parents=True, exist_ok=True)
    return path


def read(file: Path) -> ClusterFile:
    """The description of a Dask cluster. Raises UserError for anything else."""
    try:
        tree = YAML(typ="safe", pure=True).load(file.read_text(encoding="utf-8"))
        description = msgspec.convert(tree, ClusterFile)
    except (YAMLError, *MALFORMED) as error:  # ValidationError is a ValueError
        raise UserError(f"{file}: not a description of a Dask cluster: {error}") from None
    if description.module not in MODULES:
        raise UserError(
            f"{file}: module = {description.module!r}; choose one of {', '.join(MODULES)}"
        )
    return description


@contextmanager
def _connected(where: Any) -> Iterator[Client]:
    """A client that has sent the job's code to a cluster, or to the scheduler at an address."""
    try:
        client = Client(where, timeout="30s")
    except OSError as error:
        raise UserError(f"{where}: no Dask scheduler answers ({error})") from None
    except TypeError as error:  # of Dask, if it knows no certificates
        raise UserError(
            f"{where}: {first_line(error)}; name the certificates under distributed.comm.tls in Dask's configuration"
        ) from None
    with client, TemporaryDirectory() as scratch:
        archive = Path(scratch) / "job.zip"
        archive.write_bytes(_job_archive())
        client.upload_file(str(archive))
        # If the scheduler is in this process, the archive is now first on its path, although it is deleted below, and
        # `cluster` is the archive's, which has job.py alone. Take it off; the reload makes it this package again.
        sys.path[:] = [entry for entry in sys.path if Path(entry).name != archive.name]
        importlib.reload(sys.modules[__package__])
        yield client


def _job_archive() -> bytes:
    """A zip archive with cluster/job.py, from which workers import it."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("cluster/__init__.py", "")
        archive.writestr("cluster/job.py", Path(__file__).with_name("job.py").read_bytes())
    return content.getvalue()


def _devices(number: int, cores: list[int], count: int, gpus: int) -> dict[str, str]:
    """Environment of a worker: its cores, which workers share if there are more of them, and its GPU.

    The GPUs are the first of those that this process may use.
    """
    first = number % len(cores)
    shared = cores[first::count] if count < len(cores) else [cores[first]]
    environment = {CORES: ",".join(map(str, shared))}
    if not gpus:
        return environment
    visible = os.environ.get(GPUS)
    names = visible.split(",") if visible else [str(index) for index in range(gpus)]
    if gpus > len(names):
        raise UserError(f"--gpus {gpus}: {GPUS} = {visible} allows {len(names)}")
    return environment | {GPUS: names[number % gpus]}
