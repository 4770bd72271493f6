"""What DVC knows of the pipeline: its cells, which of them are done, and how the rest is completed."""

import os
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc_data.index import DataIndexDirError

from cluster.dag import Graph, Node
from cluster.retry import retry
from lottery.errors import UserError
from lottery.verification.hashes import listing

LOCAL = "workspace-cache"


def opened(folder: Path, alone: bool) -> Repo:
    """The project with the remote that cells travel through; its own cache is one where all run on this machine."""
    with Repo(folder) as repo:
        if repo.config["core"].get("remote"):
            return Repo(folder)
        if not alone:
            raise UserError(
                "no DVC remote for the cells to travel through; add one: dvc remote add --default NAME URL"
            )
        own = {"core": {"remote": LOCAL}, "remote": {LOCAL: {"url": repo.cache.local_cache_dir}}}
    return Repo(folder, config=own)


def graph(repo: Repo) -> Graph:
    """Every cell of the pipeline. `meta: takes:` of a stage says what a cell takes of a worker's resources."""
    index = repo.index
    return Graph(
        [
            Node(
                name=stage.addressing,
                needs=frozenset(need.addressing for need in index.graph.successors(stage)),
                takes=(stage.meta or {}).get("takes", {}),
                carried=all(out.use_cache for out in stage.outs),
            )
            for stage in index.stages
        ]
    )


def begin(repo: Repo) -> None:
    """Run here what is marked `meta: first:`: mistakes show before a worker starts, and workers need no network."""
    first = [name for name, stage in _stages(repo).items() if (stage.meta or {}).get("first")]
    _run(repo, first, pull=True)


def offered(repo: Repo, cells: Graph, say: Callable[[str], None]) -> set[str]:
    """The cells that are done and whose outputs the remote has, after it was given those that lie here."""
    stages = _stages(repo)
    done = set[str]()
    with repo.lock:
        for name, cell in cells.items():
            if cell.needs <= done and _holds(repo, stages[name], [stages[n] for n in cell.needs]):
                done.add(name)
    here = [name for name in done if _held(stages[name], repo.cache.local)]
    remote = repo.cloud.get_remote_odb()

    def missing() -> set[str]:
        remote.fs.exists(remote.path)  # raises where it is away: before any cell is sent
        if here:
            repo.push(here, run_cache=True)
        return {name for name in done if not _held(stages[name], remote)}

    lost = retry(missing, "giving the DVC remote what is done", say)
    return done - lost - {later for name in lost for later in cells.behind(name)}


def complete(
    repo: Repo, cells: Graph, away: Collection[str], say: Callable[[str], None]
) -> list[str]:
    """Run here, one by one, what could not run away; of all results only what these cells read is fetched."""
    stages = _stages(repo)
    here = [name for name in cells if name not in away]
    read = [dep for name in here for dep in stages[name].deps]
    outs = (out for name in away for out in stages[name].outs)
    wanted = sorted(out.def_path for out in outs if any(_overlap(dep, out) for dep in read))
    if wanted:
        retry(partial(repo.pull, wanted, force=True), "pulling results", say)
    _run(repo, here)
    return here


def ignored(repo: Repo) -> list[str]:
    """Files under git that running the pipeline writes."""
    outs = (out for stage in repo.index.stages for out in stage.outs if not out.use_cache)
    return ["dvc.lock", *(os.path.relpath(out.fs_path, repo.root_dir) for out in outs)]


def _run(repo: Repo, names: Collection[str], pull: bool = False) -> None:
    for name in names:
        try:
            repo.reproduce(name, single_item=True, pull=pull)
        except DvcException as error:
            raise UserError(f"{name} failed on this machine: {error}; see above") from None


def _stages(repo: Repo) -> dict[str, Any]:
    return {stage.addressing: stage for stage in repo.index.stages}


def _held(stage: Any, storage: Any) -> bool:
    """Whether every output is in a cache or a remote; of a folder its list, which DVC writes there last."""
    wanted = [out.hash_info.value for out in stage.outs]
    return all(wanted) and set(wanted) <= set(storage.oids_exist(wanted))


def _holds(repo: Repo, stage: Any, before: Sequence[Any]) -> bool:
    """Whether a cell would come out as the lock has it, whatever of it lies here.

    A folder that several cells before it fill is compared with what the lock has of these: where it is not here, DVC
    takes it for unchanged.
    """
    outs = [out for other in before for out in other.outs]
    folders = [dep for dep in stage.deps if any(_below(out, dep) for out in outs)]
    return all(dep.hash_info.value == _recorded(repo, dep) for dep in folders) and not (
        stage.changed(allow_missing=True, upstream=before)
    )


def _recorded(repo: Repo, folder: Any) -> str:
    """The hash of a folder, as DVC would find it were all in it that the lock records; none where that is lost."""
    place = Path(folder.def_path).parts
    try:
        entries = repo.index.data["repo"].iteritems(place, shallow=False)
        files = {"/".join(key[len(place) :]): entry for key, entry in entries}
    except DataIndexDirError:
        return ""
    return listing({name: each.hash_info.value for name, each in files.items() if not each.isdir})


def _below(one: Any, other: Any) -> bool:
    return Path(other.fs_path) in Path(one.fs_path).parents


def _overlap(one: Any, other: Any) -> bool:
    return one.fs_path == other.fs_path or _below(one, other) or _below(other, one)
