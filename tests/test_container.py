"""The sources of the image, and its entrypoint as far as it runs without a container."""

import fcntl
import json
import re
import sys
import tomllib
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from lottery.runtime.memory import SETTINGS, TUNABLES
from stages.shell.imports import names, program
from stages.trace import programs
from tests.project import ROOT, files, tracked
from tests.workspace import Repository

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
ENTRYPOINT = ROOT / "docker" / "entrypoint"
ALLOWED = [
    line[1:]
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    if line.startswith("!")
]


def test_base_image_is_pinned_by_digest() -> None:
    bases = re.findall(r"^ARG BASE_IMAGE=(\S+)$", DOCKERFILE, re.MULTILINE)
    assert len(bases) == 1
    assert re.fullmatch(r"debian:\w+-\d{8}-slim@sha256:[0-9a-f]{64}", bases[0])
    stages = re.findall(r"^FROM (?:\S+ AS )?(\w+)$", DOCKERFILE, re.MULTILINE)
    assert set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) <= {"${BASE_IMAGE}", *stages}


def test_packages_are_installed_from_the_lock_by_make() -> None:
    assert "make setup" in DOCKERFILE
    assert not re.search(r"\b(pip|uv|conda|poetry) (install|add|sync)\b", DOCKERFILE)
    pins = re.split(r"\n(?=\w)", (ROOT / "requirements.txt").read_text(encoding="utf-8"))
    loose = [pin.split("\n")[0] for pin in pins if pin[0] != "#" and "--hash=sha256:" not in pin]
    assert not loose


def test_image_contains_no_host_proxy_or_secret() -> None:
    assert not re.search(r"https?://|_PROXY|ADD |ENV .*(INDEX|PASSWORD|TOKEN)", DOCKERFILE)


def test_image_compiles_what_the_project_imports() -> None:
    compiled = re.search(r'python -c "import (.*?);', DOCKERFILE, re.DOTALL)
    assert compiled
    roots = {name.split(".")[0] for name in re.findall(r"[\w.]+", compiled[1])}
    used = {
        name.split(".")[0] for file in files("lottery", "stages", "tools") for name in names(file)
    }
    used |= {"dvc", "distributed"}  # the program of the pipeline; loaded by workers of a cluster
    assert roots == used - {"cluster", "lottery", "stages", "tools"} - set(sys.stdlib_module_names)


def test_image_leaves_out_development_tools() -> None:
    left_out = re.search(r"pip uninstall ([^&]+)", DOCKERFILE)
    assert left_out
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    assert set(re.findall(r" (\w[\w-]*)", left_out[1])) == {
        "cfn-lint",
        "uv",
        *(tool.partition("[")[0] for tool in groups["dev"]),
    }


def test_build_context_holds_what_the_image_needs_and_no_more() -> None:
    ours = set(tracked())
    needed = {Path(name) for script in programs() for name in program(script)}
    needed |= {Path(name) for name in ("dvc.yaml", "params.yaml", "requirements.txt", "Makefile")}
    needed |= {Path("pyproject.toml"), *files("cluster", "tools")}  # the command `lottery`
    needed |= {path for path in ours if path.parts[0] in {"profiles", "published"}}
    assert not {str(path) for path in needed if not _enters(path)}
    unused = {rule for rule in ALLOWED if not any(path.is_relative_to(rule) for path in ours)}
    assert not unused
    for name in ("data", "models", ".venv", ".git", "build", ".dvc/cache", ".dvc/config.local"):
        assert not _enters(Path(name))


def _enters(path: Path) -> bool:
    return any(path.is_relative_to(rule) for rule in ALLOWED)


@pytest.fixture
def project(tmp_path: Path) -> Repository:
    """The smallest repository that the entrypoint accepts."""
    repository = Repository(tmp_path)
    repository.run("git", "init", "-q")
    (tmp_path / "pyproject.toml").write_text('name = "lottery"\nversion = "1.2.3"\n')
    return repository


def test_entrypoint_prints_its_version_without_writing(project: Repository) -> None:
    output = project.run("sh", str(ENTRYPOINT), "--version")
    assert output == "lottery 1.2.3, image of revision unknown\n"
    assert not (project.root / ".dvc").exists()


def test_entrypoint_replaces_itself_by_the_command(project: Repository) -> None:
    output = project.run("sh", str(ENTRYPOINT), "sh", "-c", 'echo "$#: $1" && exit 0', "-", "a  b")
    assert output == "1: a  b\n"
    assert "not found" in project.run("sh", str(ENTRYPOINT), "no-such-command", fails=True)


def test_entrypoint_removes_stale_locks_of_a_killed_container(project: Repository) -> None:
    left = project.root / ".dvc" / "tmp" / "rwlock"
    left.parent.mkdir(parents=True)
    left.write_text('{"/lottery/data": {"write": {"pid": 7}}}')
    project.run("sh", str(ENTRYPOINT), "true")
    assert not left.exists()


def test_entrypoint_refuses_a_second_container(project: Repository) -> None:
    lock = project.root / ".dvc" / "tmp" / "container.lock"
    lock.parent.mkdir(parents=True)
    with lock.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        (lock.parent / "rwlock").touch()
        output = project.run("sh", str(ENTRYPOINT), "true", fails=True)
    assert output.startswith("error: another container is running")
    assert (lock.parent / "rwlock").exists()
    project.run("sh", str(ENTRYPOINT), "true")


def test_entrypoint_needs_a_git_repository(tmp_path: Path) -> None:
    output = Repository(tmp_path).run("sh", str(ENTRYPOINT), "true", fails=True)
    assert re.fullmatch(r"error: .* is no git repository.*\n", output)


def test_apptainer_recipe_starts_what_the_image_starts() -> None:
    recipe = (ROOT / "docker" / "lottery.def").read_text(encoding="utf-8")
    assert "\nFrom: lottery:latest\n" in recipe
    exports = re.findall(r"export (.*)", recipe)
    variables = {pair.split("=")[0] for line in exports for pair in line.split()}
    assert variables
    assert all(f"{name}=" in DOCKERFILE for name in variables)
    assert "WORKDIR /lottery\n" in DOCKERFILE
    assert "cd /lottery\n" in recipe
    assert 'CMD ["lottery", "repro"]' in DOCKERFILE
    assert "set -- lottery repro\n    exec entrypoint" in recipe
    assert "/usr/local/bin/entrypoint" in DOCKERFILE


def test_image_and_recipe_allocate_as_lottery_repro_does() -> None:
    recipe = (ROOT / "docker" / "lottery.def").read_text(encoding="utf-8")
    setting = f"{TUNABLES}={SETTINGS}"
    assert setting in DOCKERFILE.split()
    assert setting in recipe.split()


def test_compose_and_devcontainer_use_this_image() -> None:
    services = YAML(typ="safe").load(ROOT / "compose.yaml")["services"]
    assert {service["image"] for service in services.values()} == {"lottery"}
    editor = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text(encoding="utf-8"))
    dockerfile = ROOT / ".devcontainer" / editor["build"]["dockerfile"]
    assert dockerfile.resolve() == ROOT / "Dockerfile"
    assert f"WORKDIR {editor['workspaceFolder']}\n" in DOCKERFILE
