"""What the README and its neighbours say is so."""

import re

import pytest

from stages.shell.sections import SECTIONS
from tests.project import ROOT, stages, tracked

README = (ROOT / "README.md").read_text(encoding="utf-8")
PARAMETERS = (ROOT / "PARAMETERS.md").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
DOCUMENTS = sorted(path.name for path in ROOT.glob("*.md"))
KEYS = {f"{kind.section()}.{key}" for kind in SECTIONS for key in kind.__struct_fields__}


def test_it_opens_with_the_two_commands() -> None:
    first = re.search(r"```sh\n(.*?)```", README, re.DOTALL)
    assert first
    assert first[1].split("\n")[-3].startswith("make repro")
    assert first[1].split("\n")[-2].startswith("make test")


def test_its_map_names_every_package() -> None:
    named = re.findall(
        r"^\| `([a-z_/]+)` \| ", README.split("## Where things are")[1], re.MULTILINE
    )
    packages = {path.parent for path in tracked() if path.name == "__init__.py"}
    top = {"benchmarks", "cluster", "lottery", "stages", "tests", "tools"}
    assert {*named} == top | {str(path) for path in packages if str(path.parent) == "lottery"}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_it_names_exist(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    spans = re.findall(r"`([^`\n]+)`", text) + re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    named = {target for span in spans for target in re.findall(r"\bmake ([a-z-]+)", span)}
    assert named <= TARGETS, f"{document} names make {named - TARGETS}"
    for stage in {name for span in spans for name in re.findall(r"-m (stages\.\w+)", span)}:
        assert (ROOT / stage.replace(".", "/")).with_suffix(".py").is_file()


def test_it_names_every_command_stage_profile_and_section() -> None:
    profiles = {path.stem for path in (ROOT / "profiles").glob("*.yaml")}
    unnamed = [f"make {target}" for target in TARGETS if f"make {target}" not in README]
    unnamed += [
        name
        for name in {*stages(), *profiles, *(kind.section() for kind in SECTIONS)}
        if f"`{name}`" not in README
    ]
    assert not unnamed, f"not in README.md: {', '.join(sorted(unnamed))}"


def test_every_parameter_is_explained_and_no_other() -> None:
    assert set(re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \|", PARAMETERS, re.MULTILINE)) == KEYS


@pytest.mark.parametrize("document", DOCUMENTS)
def test_its_links_lead_somewhere(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    gone = [link for link in links if not (ROOT / link).exists()]
    assert not gone, f"{document} links to {gone}"
