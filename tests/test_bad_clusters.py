"""Descriptions of clusters, and tables of times, that are wrong in some way: each is refused with one line."""

import gc
from pathlib import Path

import pytest

from cluster import simulation, workers
from lottery.errors import UserError

HEAD = "version: 1\nmodule: distributed\nclass: LocalCluster\n"
LOCAL = {
    "workers in words": "kwargs: {n_workers: many}",
    "too many arguments": f"args: {[0] * 25}",
    "security that is none": "kwargs: {security: [1]}",
    "open on purpose": "kwargs: {security: false}",
}
BATCH = {
    "no cores": "kwargs: {memory: 1GB}",
    "no memory": "kwargs: {cores: 1}",
    "options that are a number": "kwargs: {cores: 1, memory: 1GB, scheduler_options: 3}",
    "worker arguments that are a number": "kwargs: {cores: 1, memory: 1GB, worker_extra_args: 3}",
    "memory in words": "kwargs: {cores: 1, memory: much}",
    "cores in words": "kwargs: {cores: many, memory: 1GB}",
    "no such argument": "kwargs: {cores: 1, memory: 1GB, gpus: 4}",
}
WRONG = {
    "empty": "",
    "a word": "cluster",
    "a number": "3",
    "a list": "[1, 2]",
    "cut short": HEAD[:-14] + "class: [",
    "not closed": "[",
    "tabs": "version:\t1\n\tmodule: distributed",
    "no version": "module: distributed\nclass: LocalCluster\n",
    "no module": "version: 1\nclass: LocalCluster\n",
    "no class": "version: 1\nmodule: distributed\n",
    "a later version": HEAD.replace("1", "2"),
    "a version in words": HEAD.replace("1", "one"),
    "a misspelt key": HEAD + "kwarg: {}\n",
    "kwargs that are a list": HEAD + "kwargs: [1]\n",
    "kwargs with numbers as names": HEAD + "kwargs: {1: 2}\n",
    "args that are a word": HEAD + "args: word\n",
    "a key twice": HEAD + "version: 1\n",
    "a foreign module": HEAD.replace("distributed", "os").replace("LocalCluster", "system"),
    "a module within": HEAD.replace("distributed", "distributed.deploy"),
    "a module with a path": HEAD.replace("distributed", "../distributed"),
    "no such class": HEAD.replace("LocalCluster", "GlobalCluster"),
    "a function": HEAD.replace("LocalCluster", "wait"),
    "another class": HEAD.replace("LocalCluster", "Lock"),
    "a class within": HEAD.replace("LocalCluster", "LocalCluster.scale"),
    "an absent package": HEAD.replace("distributed", "dask_kubernetes.operator"),
    "an object of Python": "!!python/object/apply:os.system [ls]",
    "an alias of nothing": "version: *nowhere",
    "itself": "version: &a [*a]",
    "deep": "[" * 300,
    "an impossible date": "version: 2001-99-99",
    **{f"LocalCluster, {name}": HEAD + more for name, more in LOCAL.items()},
    **{
        f"SLURMCluster, {name}": f"version: 1\nmodule: dask_jobqueue\nclass: SLURMCluster\n{more}"
        for name, more in BATCH.items()
    },
}


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::ResourceWarning"
)
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_description_is_one_line(tmp_path: Path, name: str) -> None:
    """Dask leaves a cluster half made that refuses its arguments, and warns when that is collected."""
    path = tmp_path / "cluster.yaml"
    path.write_text(WRONG[name])
    message = refused(path)
    gc.collect()
    assert len(message) < 1000 or name == "deep"


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"\x00", b"version: \xe9"])
def test_bytes_that_are_no_text_are_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "cluster.yaml").write_bytes(content)
    refused(tmp_path / "cluster.yaml")


@pytest.mark.parametrize("kind", ["absent", "folder"])
def test_what_is_no_file_is_one_line(tmp_path: Path, kind: str) -> None:
    if kind == "folder":
        (tmp_path / "cluster.yaml").mkdir()
    refused(tmp_path / "cluster.yaml")


def refused(path: Path) -> str:
    """The message with which a description is refused; it names the file."""
    with (
        pytest.raises(UserError) as caught,
        workers.from_file(path, 0, lambda: 0, trusted=False, scratch=path.parent / "scratch"),
    ):
        pass
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message


TIMES = {
    "empty": "",
    "no head": "prune@*,900\n",
    "another head": "job,time\nprune@*,900\n",
    "words": "cell,seconds\nprune@*,long\n",
    "nothing": "cell,seconds\nprune@*,\n",
    "not a number": "cell,seconds\nprune@*,nan\n",
    "endless": "cell,seconds\nprune@*,inf\n",
    "before it began": "cell,seconds\nprune@*,-3\n",
    "no job": "cell,seconds\n,900\n",
    "a number as job": "cell,seconds\n3,900\n",
    "ragged": "cell,seconds\nprune@*,1,2,3\nretrain@*,1,2,3,4\n",
    "quotes": 'cell,seconds\n"prune@*,900\n',
}


@pytest.mark.parametrize("name", TIMES)
def test_a_wrong_table_of_times_is_one_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / "times.csv"
    path.write_text(TIMES[name])
    with pytest.raises(UserError, match=r"^[^\n]*times\.csv: [^\n]*$"):
        simulation.read_times(path)
