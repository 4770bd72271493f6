"""The project's files, and what they import of each other, read from their syntax trees."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("cluster", "lottery", "stages")


def files(*packages: str) -> list[Path]:
    """The Python files of the packages, relative to the project, without the empty `__init__`s."""
    found = (path for package in packages for path in (ROOT / package).glob("*.py"))
    return sorted(path.relative_to(ROOT) for path in found if path.name != "__init__.py")


def tracked() -> list[Path]:
    """The files git knows, and those it would take."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    out = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in out.split("\0") if name and (ROOT / (path := Path(name))).is_file()]


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"), str(file))


def names(file: Path) -> Iterator[str]:
    """Every dotted name that is imported, anywhere in the file; `from a import b` gives a and a.b."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imports(file: Path) -> set[Path]:
    """The project's own files that `file` imports itself."""
    paths = (Path(*name.split(".")).with_suffix(".py") for name in names(file) if "." in name)
    return {path for path in paths if path.parts[0] in PACKAGES and (ROOT / path).is_file()}


def reach(*starts: Path) -> set[Path]:
    """The starts and all that they import, directly or through others."""
    reached, todo = set[Path](), list(starts)
    while todo:
        file = todo.pop()
        if file not in reached:
            reached.add(file)
            todo.extend(imports(file))
    return reached
