"""Files of results: where they lie, and writing that leaves a whole file, also when it is killed."""

from pathlib import Path

import msgspec

BUILD = Path("build/benchmarks")
REPORTS = Path("reports/benchmarks")


def target(out: Path | None, toy: bool) -> Path:
    """The folder that the user names; else that of the reports, which results at toy size never replace."""
    return out or (BUILD / "quick" if toy else REPORTS)


def write(text: str, path: Path) -> None:
    """Write a file atomically, so that a time limit leaves the last whole one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def save(value: object, path: Path) -> None:
    """Write a value as JSON."""
    write(msgspec.json.format(msgspec.json.encode(value)).decode() + "\n", path)
