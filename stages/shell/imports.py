"""What the project's files import of each other, read from their syntax trees."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("cluster", "lottery", "stages", "tools")


@cache
def tree(file: Path) -> ast.Module:
    """The syntax of a file of the project."""
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
    """The project's own files that `file` imports itself, relative to the project as `file` is."""
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
