"""Tests of the container image, for `make image-test`; `make test` leaves them out, as they need an engine and minutes.

The tests share one checkout and run in order: a later one finds what an earlier one computed.
"""

import os
import shutil
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.project import ROOT
from tests.workspace import Repository, Workspace

DOCKER, IMAGE = os.environ.get("DOCKER", "docker"), os.environ.get("IMAGE", "lottery")
NAME = f"lottery-image-test-{os.getpid()}"
STRANGER = 12345
RUN = (DOCKER, "run", "--rm", "--name", NAME)
ROOT_USER = ("--user", "0:0")
OTHER_USER = ("--user", f"{STRANGER}:{STRANGER}")
OFFLINE = ("--network", "none")
READ_ONLY = ("--read-only", "--tmpfs", "/tmp")  # noqa: S108
COMPUTED = ("data", "models", "subnetworks", "scores", "predictions", "attention", "reports")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A clone with the smallest experiment and its own cache, given back to this user at the end."""
    workspace = Workspace(tmp_path_factory.mktemp("checkout"), "smoke")
    workspace.run("dvc", "config", "--local", "--unset", "cache.dir")
    yield workspace
    give(workspace, os.getuid())


@pytest.fixture(scope="module")
def host() -> str:
    """Tables of the same experiment without a container."""
    Repository(ROOT).run("make", "smoke")
    return tables(ROOT / "build" / "smoke")


def tables(root: Path) -> str:
    """All tables of the report."""
    files = sorted((root / "reports" / "tables").glob("*.csv"))
    return "".join(table.read_text(encoding="utf-8") for table in files)


def mounted(checkout: Workspace) -> tuple[str, str]:
    return "--volume", f"{checkout.root}:/lottery"


def online() -> tuple[str, ...]:
    """Options for the network of this machine and the certificates of its pip."""
    host = ("--network", "host")
    if not (certificates := os.environ.get("PIP_CERT")):
        return host
    return (*host, "--volume", f"{certificates}:/ca.pem:ro", "--env", "PIP_CERT=/ca.pem")


def give(checkout: Workspace, user: int) -> None:
    """Give the checkout to another user."""
    options = (*ROOT_USER, *OFFLINE, *mounted(checkout), "--entrypoint", "chown")
    checkout.run(*RUN, *options, IMAGE, "-R", f"{user}:{user}", "/lottery")


def forget(checkout: Workspace) -> None:
    """Delete all results but the cache."""
    for folder in COMPUTED:
        shutil.rmtree(checkout.root / folder, ignore_errors=True)
    (checkout.root / "dvc.lock").unlink(missing_ok=True)


def stopping_time(repository: Repository, sign: str, *options: str) -> float:
    """Seconds that a container takes to end when it is stopped after printing `sign`."""
    repository.run(DOCKER, "run", "--detach", "--name", NAME, *options, IMAGE)
    try:
        deadline = time.monotonic() + 300
        while sign not in (log := repository.run(DOCKER, "logs", NAME)):
            assert time.monotonic() < deadline, log
            time.sleep(0.2)
        started = time.monotonic()
        repository.run(DOCKER, "stop", "--time", "30", NAME)
        return time.monotonic() - started
    finally:
        repository.run(DOCKER, "rm", "--force", NAME)


def test_image_prints_its_version() -> None:
    output = Repository(ROOT).run(*RUN, *OFFLINE, *READ_ONLY, IMAGE, "--version")
    assert output.startswith(f"lottery {version('lottery')}, ")
    assert "unknown" not in output


def test_command_lottery_is_installed() -> None:
    run = Repository(ROOT).run
    assert "verify" in run(*RUN, *OFFLINE, *READ_ONLY, "--entrypoint", "lottery", IMAGE, "--help")


def test_default_command_runs_the_default_experiment() -> None:
    assert stopping_time(Repository(ROOT), "prepare sarcasm", *online()) < 10


def test_wrong_user_is_told_the_right_one(checkout: Workspace) -> None:
    options = (*OTHER_USER, *OFFLINE, *mounted(checkout))
    output = checkout.run(*RUN, *options, IMAGE, fails=True)
    owner = checkout.root.stat()
    assert output.startswith("error:")
    assert f"--user {owner.st_uid}:{owner.st_gid}" in output
    assert len(output.splitlines()) == 1


def test_stopped_run_resumes_in_the_next_container(checkout: Workspace) -> None:
    options = (*ROOT_USER, *online(), *mounted(checkout))
    assert stopping_time(checkout, "prune sst2", *options) < 10
    before = checkout.executed()
    assert before["finetune"] >= 1
    assert "prune" not in before
    checkout.run(*RUN, *options, IMAGE)
    after = checkout.executed()
    once = {"check": 1, "encoder": 1, "fetch": 1, "prepare": 1, "finetune": 1, "prune": 1}
    assert {stage: (before + after)[stage] for stage in once} == once


def test_tables_equal_those_of_a_run_without_container(checkout: Workspace, host: str) -> None:
    assert tables(checkout.root) == host


def test_any_user_resumes_offline_on_a_read_only_system(checkout: Workspace, host: str) -> None:
    forget(checkout)
    give(checkout, STRANGER)
    checkout.run(*RUN, *OTHER_USER, *OFFLINE, *READ_ONLY, *mounted(checkout), IMAGE)
    assert set(checkout.executed()) <= {"analyse", "report"}
    assert tables(checkout.root) == host
    assert {path.lstat().st_uid for path in checkout.root.rglob("*")} == {STRANGER}


def test_bundle_of_one_container_is_opened_and_checked_by_another(checkout: Workspace) -> None:
    write = ("lottery", "bundle", "build/run.zip")
    checkout.run(*RUN, *OTHER_USER, *OFFLINE, *mounted(checkout), IMAGE, *write)
    bundles = ("--volume", f"{checkout.root / 'build'}:/bundles:ro")
    read = ("lottery", "open", "/bundles/run.zip", "/tmp/reviewed")  # noqa: S108
    output = checkout.run(*RUN, *OTHER_USER, *OFFLINE, *bundles, IMAGE, *read)
    assert "tables, figures and report come out again" in output


def test_experiment_is_run_and_kept(checkout: Workspace) -> None:
    options = (*OTHER_USER, *OFFLINE, *READ_ONLY, *mounted(checkout))
    experiment = ("dvc", "exp", "run", "-S", "prune.rate=0.2", "--name", "smaller-steps")
    checkout.run(*RUN, *options, IMAGE, *experiment)
    assert set(checkout.executed()) >= {"prune", "retrain", "report"}
    names = checkout.run(*RUN, *options, IMAGE, "dvc", "exp", "list", "--name-only")
    assert "smaller-steps" in names
    assert {path.lstat().st_uid for path in checkout.root.rglob("*")} == {STRANGER}


def test_mounted_cache_serves_the_sources_of_the_image(checkout: Workspace, host: str) -> None:
    cache = ("--volume", f"{checkout.root / '.dvc' / 'cache'}:/cache/dvc")
    commands = "{ make profile NAME=smoke && dvc repro; } >&2 && cat reports/tables/*.csv"
    output = checkout.run(*RUN, *OTHER_USER, *OFFLINE, *cache, IMAGE, "sh", "-c", commands)
    assert output.startswith(host)
    assert "\nfinetune " not in output
