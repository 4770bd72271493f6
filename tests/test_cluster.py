"""The smoke run on a real Dask cluster of this machine, through an S3 server, against the plain run."""

import re
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from tests.toy import Killer, distribute, text
from tests.workspace import Workspace

pytestmark = pytest.mark.pipeline


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an S3 server on this machine."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_the_smoke_run_through_s3_with_a_worker_killed_is_the_plain_run(
    tmp_path: Path, bucket: str
) -> None:
    plain, far = Workspace(tmp_path / "plain", "smoke"), Workspace(tmp_path / "far", "smoke")
    far.run("dvc", "config", "--local", "--unset", "cache.dir")
    far.run("dvc", "remote", "add", "--local", "--default", "lab", "s3://lottery/smoke")
    far.run("dvc", "remote", "modify", "--local", "lab", "endpointurl", bucket)
    boto3.client("s3", endpoint_url=bucket).create_bucket(Bucket="lottery")
    plain.run("dvc", "repro")
    unfinished = far.root / "partial" / "scores-sst2-1337-1.parquet"
    killer = Killer(far.root, "retrain@", lambda: any(unfinished.rglob("*.safetensors")))
    distribute(far)
    killer.join(timeout=300)
    assert not killer.survivors()
    retrained = text(far.root / "logs" / "cells" / "retrain@sst2-1337-1.log")
    assert "resuming from partial results" in retrained
    ran = far.executed()
    assert ran == {
        "trace": 1, "check": 1, "fetch": 2, "prepare": 1, "finetune": 1, "prune": 1, "retrain": 1, "super_survivors": 1,
        "recognise": 1, "attend": 1, "analyse": 1, "report": 1, "distribute": 1,
    }  # fmt: skip
    assert not list((far.root / "models").glob("**/*.safetensors"))
    assert far.digests("reports/tables") == plain.digests("reports/tables")
    assert far.digests("reports/figures") == plain.digests("reports/figures")
    assert told(far) == told(plain)


def told(work: Workspace) -> str:
    """The report without where it comes from."""
    report = text(work.root / "reports" / "report.md")
    return re.sub(r"(?ms)^## Provenance$.*?(?=^## |\Z)", "", report)
