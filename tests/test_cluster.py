"""The smoke run on a Dask cluster of this machine, through an S3 server, equals a run without a cluster."""

import re
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests import toy_hub
from tests.toy import Killer, distribute, text
from tests.workspace import ON_ONE_CORE, Workspace

pytestmark = pytest.mark.pipeline
RESUMED = "resuming from partial results"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Address of an S3 server on this machine."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_smoke_run_through_s3_with_a_killed_worker_equals_plain_run(
    tmp_path: Path, bucket: str
) -> None:
    speller = toy_hub.speller(tmp_path / "speller")
    plain, remote = (
        Workspace(tmp_path / name, "smoke", encoder={"checkpoint": str(speller)})
        for name in ("plain", "remote")
    )
    remote.run("dvc", "config", "--local", "--unset", "cache.dir")
    remote.run("dvc", "remote", "add", "--local", "--default", "lab", "s3://lottery/smoke")
    remote.run("dvc", "remote", "modify", "--local", "lab", "endpointurl", bucket)
    boto3.client("s3", endpoint_url=bucket).create_bucket(Bucket="lottery")
    plain.run(*ON_ONE_CORE, "dvc", "repro")
    unfinished = remote.root / "partial" / "scores-sst2-1337-1.parquet"
    killer = Killer(remote.root, "retrain@", lambda: any(unfinished.rglob("*.safetensors")))
    distribute(remote)
    assert not killer.survivors()
    retrained = text(remote.root / "logs" / "jobs" / "retrain@sst2-1337-1.log")
    assert RESUMED in retrained
    assert remote.executed() == {
        "trace": 1, "check": 1, "encoder": 1, "fetch": 1, "prepare": 1, "finetune": 1, "prune": 1, "retrain": 1,
        "super_survivors": 1, "recognise": 1, "attend": 1, "analyse": 1, "report": 1, "distribute": 1,
    }  # fmt: skip
    assert not list((remote.root / "models").glob("**/*.safetensors"))
    assert remote.digests("reports/tables") == plain.digests("reports/tables")
    assert remote.digests("reports/figures") == plain.digests("reports/figures")
    assert report_text(remote) == report_text(plain)


def report_text(work: Workspace) -> str:
    """The report without its provenance and core-hours."""
    report = text(work.root / "reports" / "report.md")
    return re.sub(r"(?ms)^## Provenance.*?(?=^## |\Z)|^\| compute .*?$", "", report)
