"""Dask clusters are encrypted and authenticated, or say in one line that they are not."""

import gc
from pathlib import Path

import pytest
from distributed import Client
from distributed.security import Security

import cluster
from cluster import privacy, workers
from lottery.errors import UserError
from tests.project import ROOT
from tests.test_dispatch import ONCE, started
from tests.toy import LONG, Toy, distribute, until
from tests.workspace import Repository


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("tls://10.0.0.1:8786", True), ("tcp://127.0.0.1:8786", True), ("localhost:8786", True),
        ("tcp://[::1]:1", True),
        ("tcp://10.0.0.1:8786", False), ("head:8786", False), ("ws://head:80", False), ("tcp://0.0.0.0:8786", False),
        ("tcp://127.0.0.1.example.org:1", False),
    ],
)  # fmt: skip
def test_an_open_scheduler_needs_the_flag(address: str, private: bool) -> None:
    privacy.require_private(address, trusted=True)
    if private:
        privacy.require_private(address, trusted=False)
    else:
        with pytest.raises(UserError, match=r"not encrypted.*--trust-network"):
            privacy.require_private(address, trusted=False)


def test_a_described_cluster_is_encrypted_and_shows_nothing_to_others() -> None:
    arguments = privacy.secured("SLURMCluster", {"worker_extra_args": ["--resources", "GPU=1"]})
    assert arguments["security"].require_encryption
    assert arguments["scheduler_options"] == {"dashboard_address": "127.0.0.1:0"}
    assert arguments["worker_extra_args"] == [
        "--resources", "GPU=1", "--dashboard-address", "127.0.0.1:0",
    ]  # fmt: skip
    asked = {"security": False, "scheduler_options": {"dashboard_address": ":8787"}}
    arguments = privacy.secured("SLURMCluster", asked)
    assert arguments["security"] is None
    assert arguments["scheduler_options"] == {"dashboard_address": ":8787"}


@pytest.mark.parametrize(
    ("module", "kind", "kwargs"),
    [
        ("distributed", "LocalCluster", "{security: false}"),
        ("distributed", "SSHCluster", "{hosts: [a, b]}"),
        ("dask_jobqueue", "SLURMCluster", "{security: false, cores: 1, memory: 1GB}"),
    ],
)
def test_a_described_cluster_without_encryption_is_refused(
    tmp_path: Path, module: str, kind: str, kwargs: str
) -> None:
    file = tmp_path / "cluster.yaml"
    file.write_text(f"version: 1\nmodule: {module}\nclass: {kind}\nkwargs: {kwargs}\n")
    with (
        pytest.raises(UserError, match=rf"^{file}: {kind} is not encrypted"),
        workers.from_file(file, 1, lambda: 1, trusted=False, scratch=tmp_path),
    ):
        pass


def test_only_who_has_the_certificates_reaches_workers_of_this_machine(tmp_path: Path) -> None:
    with workers.local(1, 0, tmp_path / "scratch", tmp_path / "partial") as client:
        client.wait_for_workers(1, timeout=LONG)
        info = client.scheduler_info()
        address, (worker,) = info["address"], info["workers"].values()
        for place in (address, worker["nanny"], *info["workers"]):
            assert place.startswith("tls://127.0.0.1:")
        assert client.submit(sum, [1, 2]).result() == 3
        with (
            pytest.raises(UserError, match=r"distributed\.comm\.tls"),
            workers.at(address, trusted=False),
        ):
            pass
        gc.collect()  # or the client that failed is closed amid the start of the next, which then waits for ever
        with pytest.raises(OSError, match=r"does not match|[Tt]imed out"):
            Client(address, security=Security.temporary(), timeout="3s")
    gc.collect()


def test_modules_of_the_project_are_imported_from_it_once_workers_have_their_code(
    tmp_path: Path,
) -> None:
    with workers.local(1, 0, tmp_path / "scratch", tmp_path / "partial"):
        assert [Path(entry) for entry in cluster.__path__] == [ROOT / "cluster"]


@pytest.mark.pipeline
def test_a_scheduler_with_certificates_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = Toy(tmp_path)
    toy.go()
    credentials = Security.temporary()
    (tmp_path / "ca.pem").write_text(credentials.tls_ca_file)
    (tmp_path / "key.pem").write_text(credentials.tls_worker_key)
    (tmp_path / "cert.pem").write_text(credentials.tls_worker_cert)
    monkeypatch.setenv("DASK_DISTRIBUTED__COMM__TLS__CA_FILE", str(tmp_path / "ca.pem"))
    for role in ("SCHEDULER", "WORKER", "CLIENT"):
        monkeypatch.setenv(f"DASK_DISTRIBUTED__COMM__TLS__{role}__KEY", str(tmp_path / "key.pem"))
        monkeypatch.setenv(f"DASK_DISTRIBUTED__COMM__TLS__{role}__CERT", str(tmp_path / "cert.pem"))
    connection = tmp_path / "scheduler.json"
    here = ("--protocol", "tls", "--host", "127.0.0.1", "--scheduler-file", str(connection))
    (tmp_path / "scheduler").mkdir()
    (tmp_path / "worker").mkdir()
    scheduler, worker = Repository(tmp_path / "scheduler"), Repository(tmp_path / "worker")
    with started(scheduler, "dask", "scheduler", "--port", "0", "--no-dashboard", *here):
        until(connection.exists, "the scheduler has no address")
        address = next(
            word.strip('",') for word in connection.read_text().split() if "tls://" in word
        )
        with started(worker, "dask", "worker", "--nthreads", "1", "--local-directory", ".", *here):
            distribute(toy, "--scheduler", address)
    assert toy.executed() == ONCE
