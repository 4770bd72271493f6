"""The pipeline as DVC knows it: its jobs, which of them are done, and those that run on the head."""

import os
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from dvc.exceptions import DvcException
from dvc.repo import Repo
from dvc.repo.index import Index
from dvc_data.index import DataIndexDirError

from cluster.dag import Graph, Node
from cluster.mending import mend
from cluster.retry import retry
from lottery.errors import UserError
from lottery.verification.hashes import listing

LOCAL = "workspace-cache"
"""Name of the remote that is the project's own cache."""


def open_repo(folder: Path, local: bool) -> Repo:
    """The project with its remote; for workers of this machine, its own cache serves if it has none.

    Raises UserError if other workers would need a remote.
    """
    mend(folder)
    with Repo(folder) as repo:
        if repo.config["core"].get("remote"):
            return Repo(folder)
        if not local:
            raise UserError(
                "no DVC remote to carry results; add one: dvc remote add --default NAME URL"
            )
        cache = repo.cache.local_cache_dir
    return Repo(folder, config={"core": {"remote": LOCAL}, "remote": {LOCAL: {"url": cache}}})


def graph(repo: Repo) -> Graph:
    """Every job of the pipeline. `meta: {trains: true}` marks the stages whose jobs train or search."""
    index = _index(repo)
    return Graph(
        [
            Node(
                name=stage.addressing,
                needs=frozenset(need.addressing for need in index.graph.successors(stage)),
                trains=(stage.meta or {}).get("trains", False),
                cached=all(out.use_cache for out in stage.outs),
            )
            for stage in index.stages
        ]
    )


def unchanged(repo: Repo, jobs: Graph) -> set[str]:
    """The jobs that `dvc repro` would skip: they are up to date here, and so is everything that they need."""
    stages, done = _stages(repo), set[str]()
    with repo.lock:
        for name, node in jobs.items():
            if node.needs <= done and not stages[name].changed():
                done.add(name)
    return done


def run_first(repo: Repo) -> None:
    """Run the stages marked `meta: first:` here: mistakes show before a worker starts, and workers need no network."""
    first = [name for name, stage in _stages(repo).items() if (stage.meta or {}).get("first")]
    _run(repo, first, pull=True)


def push_done(repo: Repo, jobs: Graph, say: Callable[[str], None]) -> set[str]:
    """Push the outputs of jobs that are done, and return those whose outputs are all on the remote."""
    stages = _stages(repo)
    done = set[str]()
    with repo.lock:
        for name, node in jobs.items():
            upstream = [stages[need] for need in node.needs]
            if node.needs <= done and _unchanged(repo, stages[name], upstream):
                done.add(name)
    here = [name for name in done if _stored(stages[name], repo.cache.local)]
    remote = repo.cloud.get_remote_odb()

    def push() -> set[str]:
        remote.fs.exists(remote.path)  # raises if it is unreachable, before any job is submitted
        if here:
            repo.push(here, run_cache=True)
        return {name for name in done if not _stored(stages[name], remote)}

    lost = retry(push, "pushing finished jobs", say)
    return done - lost - {later for name in lost for later in jobs.dependents(name)}


def finish(
    repo: Repo, jobs: Graph, remote: Collection[str], say: Callable[[str], None]
) -> list[str]:
    """Run the jobs that are not `remote` on the head; of all results, only their inputs are pulled."""
    stages = _stages(repo)
    here = [name for name in jobs if name not in remote]
    deps = [dep for name in here for dep in stages[name].deps]
    outs = (out for name in remote for out in stages[name].outs)
    inputs = sorted(out.def_path for out in outs if any(_overlap(dep, out) for dep in deps))
    if inputs:
        retry(partial(repo.pull, inputs, force=True), "pulling results", say)
    _run(repo, here)
    return here


def tracked_outputs(repo: Repo) -> list[str]:
    """Files tracked by git that a run of the pipeline writes."""
    outs = (out for stage in _index(repo).stages for out in stage.outs if not out.use_cache)
    return ["dvc.lock", *(os.path.relpath(out.fs_path, repo.root_dir) for out in outs)]


def _run(repo: Repo, names: Collection[str], pull: bool = False) -> None:
    for name in names:
        try:
            repo.reproduce(name, single_item=True, pull=pull)
        except DvcException as error:
            raise UserError(f"{name} failed on this machine: {error}; see above") from None


def _index(repo: Repo) -> Index:
    """The stages as DVC reads them. Raises UserError if a parameter is missing that dvc.yaml names."""
    try:
        return repo.index
    except DvcException as error:
        raise UserError(f"the parameters do not fit the pipeline: {error}") from None


def _stages(repo: Repo) -> dict[str, Any]:
    return {stage.addressing: stage for stage in _index(repo).stages}


def _stored(stage: Any, storage: Any) -> bool:
    """True if a cache or remote has every output; of a folder its list of files, which DVC writes last."""
    hashes = [out.hash_info.value for out in stage.outs]
    return all(hashes) and set(hashes) <= set(storage.oids_exist(hashes))


def _unchanged(repo: Repo, stage: Any, upstream: Sequence[Any]) -> bool:
    """True if the lock's entry of a stage is up to date, even if its files are not on this machine.

    What holds outputs of several upstream stages, or is a part of one, is compared with their entries in the lock: DVC
    takes it for unchanged if it is missing.
    """
    outs = [out for other in upstream for out in other.outs]
    shared = [
        dep for dep in stage.deps if any(_below(out, dep) or _below(dep, out) for out in outs)
    ]
    return all(dep.hash_info.value == _recorded_hash(repo, dep) for dep in shared) and not (
        stage.changed(allow_missing=True, upstream=upstream)
    )


def _recorded_hash(repo: Repo, path: Any) -> str:
    """The hash that the lock has of a file, or leads to for a folder of such files; empty if a list is lost."""
    place = Path(path.def_path).parts
    try:
        entries = repo.index.data["repo"].iteritems(place, shallow=False)
        files = {"/".join(key[len(place) :]): entry for key, entry in entries}
    except DataIndexDirError:
        return ""
    hashes = {name: entry.hash_info.value for name, entry in files.items() if not entry.isdir}
    return str(hashes[""]) if "" in hashes else listing(hashes)


def _below(inner: Any, outer: Any) -> bool:
    return Path(outer.fs_path) in Path(inner.fs_path).parents


def _overlap(one: Any, other: Any) -> bool:
    return one.fs_path == other.fs_path or _below(one, other) or _below(other, one)
