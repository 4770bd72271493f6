"""The image, run for real: `make image-test`. It takes minutes and an engine, so `make test` leaves it out.

One checkout is handed from test to test, as it is from user to user: what an earlier one computed, a later one finds.
"""

import os
import shutil
import time
from collections.abc import Iterator
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
COMPUTED = ("data", "models", "subnetworks", "scores", "attention", "reports")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """A clone with the smallest experiment and a cache of its own; in the end it is ours again."""
    made = Workspace(tmp_path_factory.mktemp("checkout"), "smoke")
    made.run("dvc", "config", "--local", "--unset", "cache.dir")
    yield made
    give(made, os.getuid())


@pytest.fixture(scope="module")
def host() -> str:
    """The numbers of the same experiment without a container."""
    Repository(ROOT).run("make", "smoke")
    return numbers(ROOT / "build" / "smoke")


def numbers(root: Path) -> str:
    """All tables of the report."""
    tables = sorted((root / "reports" / "tables").glob("*.csv"))
    return "".join(table.read_text(encoding="utf-8") for table in tables)


def mounted(checkout: Workspace) -> tuple[str, str]:
    return "--volume", f"{checkout.root}:/lottery"


def online() -> tuple[str, ...]:
    """The network of this machine, with the certificates its pip was told of."""
    host = ("--network", "host")
    if not (certificates := os.environ.get("PIP_CERT")):
        return host
    return (*host, "--volume", f"{certificates}:/ca.pem:ro", "--env", "PIP_CERT=/ca.pem")


def give(checkout: Workspace, user: int) -> None:
    """The checkout to another user."""
    options = (*ROOT_USER, *OFFLINE, *mounted(checkout), "--entrypoint", "chown")
    checkout.run(*RUN, *options, IMAGE, "-R", f"{user}:{user}", "/lottery")


def forget(checkout: Workspace) -> None:
    """All results; the cache stays."""
    for folder in COMPUTED:
        shutil.rmtree(checkout.root / folder, ignore_errors=True)
    (checkout.root / "dvc.lock").unlink(missing_ok=True)


def stopped(repository: Repository, sign: str, *options: str) -> float:
    """How many seconds a container that has said `sign` takes to end, once it is asked to."""
    repository.run(DOCKER, "run", "--detach", "--name", NAME, *options, IMAGE)
    try:
        deadline = time.monotonic() + 300
        while sign not in (log := repository.run(DOCKER, "logs", NAME)):
            assert time.monotonic() < deadline, log
            time.sleep(0.2)
        asked = time.monotonic()
        repository.run(DOCKER, "stop", "--time", "30", NAME)
        return time.monotonic() - asked
    finally:
        repository.run(DOCKER, "rm", "--force", NAME)


def test_it_says_what_it_is() -> None:
    said = Repository(ROOT).run(*RUN, *OFFLINE, *READ_ONLY, IMAGE, "--version")
    assert said.startswith("lottery 0.")
    assert "unknown" not in said


def test_the_default_command_is_the_default_experiment() -> None:
    assert stopped(Repository(ROOT), "prepare privacyqa", *online()) < 10


def test_a_wrong_user_is_told_the_right_one(checkout: Workspace) -> None:
    options = (*OTHER_USER, *OFFLINE, *mounted(checkout))
    said = checkout.run(*RUN, *options, IMAGE, fails=True)
    owner = checkout.root.stat()
    assert said.startswith("error:")
    assert f"--user {owner.st_uid}:{owner.st_gid}" in said
    assert len(said.splitlines()) == 1


def test_a_run_that_is_stopped_goes_on_in_the_next_container(checkout: Workspace) -> None:
    options = (*ROOT_USER, *online(), *mounted(checkout))
    assert stopped(checkout, "prune sst2", *options) < 10
    before = checkout.executed()
    assert before["finetune"] >= 1
    assert "prune" not in before
    checkout.run(*RUN, *options, IMAGE)
    after = checkout.executed()
    once = {"check": 1, "fetch": 2, "prepare": 1, "finetune": 1, "prune": 1}
    assert {stage: (before + after)[stage] for stage in once} == once


def test_its_numbers_are_those_of_a_run_without_it(checkout: Workspace, host: str) -> None:
    assert numbers(checkout.root) == host


def test_any_user_goes_on_without_network_on_a_read_only_system(
    checkout: Workspace, host: str
) -> None:
    forget(checkout)
    give(checkout, STRANGER)
    checkout.run(*RUN, *OTHER_USER, *OFFLINE, *READ_ONLY, *mounted(checkout), IMAGE)
    assert set(checkout.executed()) <= {"analyse", "report"}
    assert numbers(checkout.root) == host
    assert {path.lstat().st_uid for path in checkout.root.rglob("*")} == {STRANGER}


def test_an_experiment_runs_and_stays(checkout: Workspace) -> None:
    options = (*OTHER_USER, *OFFLINE, *READ_ONLY, *mounted(checkout))
    experiment = ("dvc", "exp", "run", "-S", "prune.rate=0.4", "--name", "wider-steps")
    checkout.run(*RUN, *options, IMAGE, *experiment)
    assert set(checkout.executed()) >= {"prune", "retrain", "report"}
    assert "wider-steps" in checkout.run(*RUN, *options, IMAGE, "dvc", "exp", "list", "--name-only")
    assert {path.lstat().st_uid for path in checkout.root.rglob("*")} == {STRANGER}


def test_a_kept_cache_serves_the_sources_of_the_image(checkout: Workspace, host: str) -> None:
    cache = ("--volume", f"{checkout.root / '.dvc' / 'cache'}:/cache/dvc")
    commands = "{ make profile NAME=smoke && dvc repro; } >&2 && cat reports/tables/*.csv"
    said = checkout.run(*RUN, *OTHER_USER, *OFFLINE, *cache, IMAGE, "sh", "-c", commands)
    assert said.startswith(host)
    assert "\nfinetune " not in said
