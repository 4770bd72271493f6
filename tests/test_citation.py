"""The files that archives and indexes read say the same as pyproject.toml."""

import json
import tomllib

from ruamel.yaml import YAML

from tests.project import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
CITATION = YAML(typ="safe").load(ROOT / "CITATION.cff")
CODE = json.loads((ROOT / "codemeta.json").read_text("utf-8"))
ZENODO = json.loads((ROOT / ".zenodo.json").read_text("utf-8"))


def test_version_licence_and_description_are_the_project_s() -> None:
    for about in (CITATION, CODE, ZENODO):
        assert about["version"] == PROJECT["version"]
        assert about["license"].removeprefix("https://spdx.org/licenses/") == PROJECT["license"]
        assert about.get("abstract", about.get("description")) == PROJECT["description"]
        assert about["keywords"] == CITATION["keywords"]
    assert CODE["runtimePlatform"] == f"Python {PROJECT['requires-python']}"


def test_title_authors_and_paper_agree() -> None:
    assert CITATION["title"] == CODE["name"] == ZENODO["title"]
    authors = [author["name"] for author in PROJECT["authors"]]
    for people in (CITATION["authors"], CODE["author"], ZENODO["creators"]):
        assert [person["name"] for person in people] == authors
    [paper] = CITATION["references"]
    assert CODE["referencePublication"] == f"https://doi.org/{paper['doi']}"
    assert [related["identifier"] for related in ZENODO["related_identifiers"]] == [paper["doi"]]


def test_the_changelog_begins_with_this_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert text.partition("\n## ")[2].startswith(f"{PROJECT['version']},")
