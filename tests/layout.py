"""The README's tree: `python -m tests.layout` (`make tree`) writes it.

A module's phrase is the first sentence of its docstring. The phrase of anything else stands in the README itself
and is kept; what is new gets a `?` to be replaced by hand.
"""

import ast
import re
from pathlib import Path

from stages.imports import PACKAGES, tree
from tests.project import ROOT, files, tracked

README = ROOT / "README.md"
BLOCK = re.compile(r"(?<=```text\n)\.ci/.*?(?=```)", re.DOTALL)
ENTRY = re.compile(r"^(\S+) +(\S.*)$", re.MULTILINE)
PHRASES = {
    "benchmarks/": "the program against plain ways and peers: `make bench`",
    "lottery/": "nouns: what the paper talks about",
    "cluster/": "the same cells on many machines",
    "stages/": "verbs: what dvc.yaml runs",
    "reports/": "what came out",
}


def present(readme: str) -> str:
    """The tree as it stands in the README."""
    found = BLOCK.search(readme)
    assert found, "README.md has no tree: a ```text block that starts with .ci/"
    return found[0]


def due(readme: str) -> str:
    """The tree as it should be."""
    phrases = {**PHRASES, **dict(ENTRY.findall(present(readme)))}
    top = sorted({path.parts[0] for path in tracked()}, key=str.lower)
    rows: list[tuple[str, str]] = []
    for name in top:
        shown = f"{name}/" if (ROOT / name).is_dir() else name
        rows.append((shown, phrases.get(shown, "?")))
        rows += [(f"  {file.name}", phrase(file)) for file in files(name) if name in PACKAGES]
    width = max(len(name) for name, _ in rows) + 2
    return "".join(f"{name:{width}}{text}\n" for name, text in rows)


def phrase(file: Path) -> str:
    """The first sentence of a module's docstring, without its sources in brackets."""
    text = (ast.get_docstring(tree(file)) or "?").split("\n\n")[0].replace("\n", " ")
    first = re.split(r"(?<=[a-z0-9)])\. (?=[A-Z])", text)[0]
    return re.sub(r"\s*\([^()]*\)$", "", first.rstrip("."))


def rewritten(readme: str) -> str:
    """The README with the tree it should have."""
    return readme.replace(present(readme), due(readme))


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text(encoding="utf-8")), encoding="utf-8")
