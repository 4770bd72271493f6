"""Clusters shrink to the jobs that are left, and never lose a worker that runs one."""

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from distributed import Client, Event, LocalCluster, get_worker

from cluster import scaling
from tests.toy import LONG


@pytest.fixture(scope="module")
def cluster() -> Iterator[LocalCluster]:
    """Three workers in this process."""
    with LocalCluster(
        n_workers=3, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        yield cluster


def work(name: str) -> Any:
    """The name of the worker, after somebody said go."""
    Event("busy " + name).set()
    Event("go").wait(LONG)
    return get_worker().name


def test_idle_workers_are_released_busy_ones_stay_and_lost_ones_come_back(
    cluster: LocalCluster,
) -> None:
    with Client(cluster) as client:
        futures = [client.submit(work, name, pure=False) for name in ("one", "two")]
        for name in ("one", "two"):
            Event("busy " + name).wait(LONG)
        scaling.adjust(cluster, client, 3, jobs=5)
        assert len(cluster.worker_spec) == 3
        scaling.adjust(cluster, client, 3, jobs=2)
        busy = set(cluster.worker_spec)
        assert len(busy) == 2
        scaling.adjust(cluster, client, 3, jobs=0)
        assert set(cluster.worker_spec) == busy
        Event("go").set()
        assert set(client.gather(futures)) == busy
        scaling.adjust(cluster, client, 3, jobs=9)
        client.wait_for_workers(3, timeout=LONG)
        scaling.adjust(cluster, client, None, jobs=1)
        assert len(cluster.worker_spec) == 1


def test_other_clusters_are_asked_for_all_workers() -> None:
    asked = list[int]()
    other = SimpleNamespace(scale=asked.append)
    for count in (4, None):
        scaling.adjust(other, client=None, count=count, jobs=1)  # type: ignore[arg-type]
    assert asked == [4]


@pytest.mark.parametrize(
    ("error", "printed"),
    [(OSError("no answer"), ""), (RuntimeError("closed\nat"), "  workers, trying again: closed\n")],
)
def test_the_size_is_looked_at_until_the_end(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    printed: str,
) -> None:
    monkeypatch.setattr(scaling, "INTERVAL", 0.001)
    jobs, asked = iter(range(3, -1, -1)), list[int]()
    done = threading.Event()

    def left() -> int:
        count = next(jobs, 0)
        if count == 0:
            done.set()
        return count

    def scale(count: int) -> None:
        asked.append(count)
        raise error

    with scaling.scaled(SimpleNamespace(scale=scale), None, 4, left):  # type: ignore[arg-type]
        assert done.wait(LONG)
    assert set(asked) == {4}
    assert len(asked) >= 3
    assert capsys.readouterr().out == printed
