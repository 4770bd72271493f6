"""Imports among the files of this project, read from their syntax trees."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("cluster", "lottery", "stages", "tools")


@cache
def tree(file: Path) -> ast.Module:
    """Syntax tree of a file of the project."""
    return ast.parse((ROOT / file).read_text(encoding="utf-8"), str(file))


def names(file: Path) -> Iterator[str]:
    """Every dotted name imported anywhere in the file; `from a import b` yields a and a.b."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imports(file: Path) -> set[Path]:
    """Files of the project that `file` imports directly; like `file`, relative to the project's root."""
    paths = (Path(*name.split(".")).with_suffix(".py") for name in names(file) if "." in name)
    return {path for path in paths if path.parts[0] in PACKAGES and (ROOT / path).is_file()}


def reach(*starts: Path) -> set[Path]:
    """The files `starts` and all they import, directly or indirectly."""
    reached, pending = set[Path](), list(starts)
    while pending:
        file = pending.pop()
        if file not in reached:
            reached.add(file)
            pending.extend(imports(file))
    return reached


def program(script: Path) -> list[str]:
    """The script, every file it imports, directly or through others, and the `__init__.py` of their packages."""
    files = reach(script)
    packages = {package / "__init__.py" for file in files for package in file.parents[:-1]}
    return sorted(file.as_posix() for file in files | packages)
