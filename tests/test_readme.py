"""The documentation is true: the commands, links, stages, parameters and packages that it names exist."""

import re
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

import pytest

from stages.shell.sections import SECTIONS
from tests.project import ROOT, stages, tracked
from tests.test_house import EARLIER
from tools.app import COMMANDS

README = (ROOT / "README.md").read_text(encoding="utf-8")
MAP = re.findall(r"^\| `([a-z_/]+)` \| ", README.split("## Map of the code")[1], re.MULTILINE)
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
PAGES = sorted((ROOT / "docs").glob("*.md"))
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *PAGES, ROOT / "published" / "README.md"]
PARAMETERS = ROOT / "docs" / "parameters.md"
every_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)


def test_readme_opens_with_the_two_commands() -> None:
    block = re.search(r"```sh\n(.*?)```", README, re.DOTALL)
    assert block
    assert block[1].split("\n")[-3].startswith("make repro")
    assert block[1].split("\n")[-2].startswith("make test")


def test_readme_is_short() -> None:
    assert len(README.splitlines()) <= 200


def test_map_names_every_package() -> None:
    packages = {path.parent for path in tracked() if path.name == "__init__.py"}
    top = {"benchmarks", "cluster", "lottery", "stages", "tests", "tools"}
    assert {*MAP} == top | {str(path) for path in packages if str(path.parent) == "lottery"}


@pytest.mark.parametrize("package", [name for name in EARLIER if name != "stages.shell"])
def test_map_is_in_the_order_of_imports(package: str) -> None:
    above = {"stages/shell", *MAP[: MAP.index(package.replace(".", "/"))]}
    assert {name.replace(".", "/") for name in EARLIER[package].split()} <= above


def test_readme_names_every_target_stage_profile_and_section() -> None:
    profiles = {path.stem for path in (ROOT / "profiles").glob("*.yaml")}
    sections = {section.section() for section in SECTIONS}
    names = {*stages(), *profiles, *sections}
    missing = [f"make {target}" for target in TARGETS if f"make {target}" not in README]
    missing += [name for name in names if f"`{name}`" not in README]
    assert not missing, f"not in README.md: {', '.join(sorted(missing))}"


def test_readme_names_every_subcommand() -> None:
    missing = [name for name in subcommands() if f"`lottery {name}`" not in README]
    assert not missing, f"not in README.md: {', '.join(missing)}"


def test_index_lists_every_page() -> None:
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    missing = [
        page.name for page in PAGES if page.stem != "index" and f"({page.name})" not in index
    ]
    assert not missing, f"not in docs/index.md: {', '.join(missing)}"


@every_document
def test_targets_and_modules_exist(document: Path) -> None:
    spans = code(document)
    targets = {name for span in spans for name in re.findall(r"\bmake ([a-z-]+)", span)}
    assert targets <= TARGETS, f"no such make target: {targets - TARGETS}"
    for name in {name for span in spans for name in re.findall(r"python -m ([\w.]+)", span)}:
        path = ROOT / name.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), name


@every_document
def test_subcommands_exist(document: Path) -> None:
    spans = code(document)
    names = {
        name for span in spans for name in re.findall(r"^lottery ([a-z-]+)", span, re.MULTILINE)
    }
    if names:
        assert names <= subcommands(), f"no such command: {names - subcommands()}"


@every_document
def test_files_in_code_spans_exist(document: Path) -> None:
    folders = "benchmarks|cluster|docs|lottery|profiles|published|stages|tests|tools"
    spans = re.findall(
        rf"`(?:pytest )?((?:{folders})/[^`\n]*\.(?:py|md|yaml|csv))`", document.read_text("utf-8")
    )
    files = {ROOT / name for span in spans for name in span.split()}
    lost = [file for file in files if not file.exists()]
    assert not lost, f"no such file: {lost}"


@every_document
def test_links_lead_somewhere(document: Path) -> None:
    lost = []
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            lost.append(link)
    assert not lost, f"links that lead nowhere: {lost}"


def test_anchors_are_those_of_headings(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Of `one`, two\n\n## To add a ...\n\n## 7. The search\n", encoding="utf-8")
    assert anchors(page) == {"of-one-two", "to-add-a-", "7-the-search"}


def test_every_parameter_is_explained_and_no_other() -> None:
    keys = {f"{kind.section()}.{key}" for kind in SECTIONS for key in kind.__struct_fields__}
    assert set(parameter_rows()) == keys


def test_every_allowed_name_is_explained() -> None:
    rows = parameter_rows()
    missing = [
        f"{kind.section()}.{key}: {name}"
        for kind in SECTIONS
        for key, hint in get_type_hints(kind).items()
        if get_origin(hint) is Literal
        for name in get_args(hint)
        if f"`{name}`" not in rows[f"{kind.section()}.{key}"]
    ]
    assert not missing, f"not explained: {', '.join(missing)}"


def code(document: Path) -> list[str]:
    """The code spans and shell blocks of a document."""
    text = document.read_text(encoding="utf-8")
    return re.findall(r"`([^`\n]+)`", text) + re.findall(r"```sh\n(.*?)```", text, re.DOTALL)


def subcommands() -> set[str]:
    """The sub-commands of the command `lottery`."""
    return set(COMMANDS)


def parameter_rows() -> dict[str, str]:
    """The row that explains each parameter, by its key."""
    row = re.compile(r"^\| `([a-z_]+\.[a-z_]+)` \|.*$", re.MULTILINE)
    return {match[1]: match[0] for match in row.finditer(PARAMETERS.read_text("utf-8"))}


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
