"""The project's files, and its pipeline."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parent.parent


def files(*packages: str) -> list[Path]:
    """The Python files of the packages, relative to the project, without the `__init__`s."""
    found = (path for package in packages for path in (ROOT / package).rglob("*.py"))
    return sorted(path.relative_to(ROOT) for path in found if path.name != "__init__.py")


def tracked() -> list[Path]:
    """The files git knows, and those it would take."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    out = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in out.split("\0") if name and (ROOT / (path := Path(name))).is_file()]


def stages() -> Mapping[str, Mapping[str, Any]]:
    """The stages of dvc.yaml by name."""
    found: Mapping[str, Mapping[str, Any]] = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]
    return found
