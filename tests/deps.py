"""Which files each stage of dvc.yaml depends on: `python -m tests.deps` (`make deps`) writes them there.

Only the lines of `lottery/*.py` and `stages/*.py` under a stage's `deps` change; everything else stays byte for
byte.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.imports import ROOT, reach

PIPELINE = ROOT / "dvc.yaml"
CODE = re.compile(r"(lottery|stages)/\w+\.py")
COMMAND = re.compile(r"python -m (stages\.\w+)")


def stages(text: str) -> Mapping[str, Mapping[str, Any]]:
    """The stages of a dvc.yaml by name."""
    found: Mapping[str, Mapping[str, Any]] = YAML(typ="safe", pure=True).load(text)["stages"]
    return found


def listed(stage: Mapping[str, Any]) -> set[str]:
    """The code a stage of dvc.yaml says it depends on."""
    return {dep for dep in stage.get("deps", ()) if CODE.fullmatch(dep)}


def needed(stage: Mapping[str, Any]) -> set[str]:
    """The code that the scripts of a stage's command reach by import."""
    cmd = stage["cmd"] if isinstance(stage["cmd"], str) else "\n".join(stage["cmd"])
    scripts = (Path(*name.split(".")).with_suffix(".py") for name in COMMAND.findall(cmd))
    return {path.as_posix() for path in reach(*scripts)}


def rewritten(text: str) -> str:
    """`text` of a dvc.yaml whose code dependencies are exactly the needed ones, one a line."""
    code = {name: sorted(needed(stage)) for name, stage in stages(text).items()}
    return "".join(chain.from_iterable(_stage(lines, code) for lines in _blocks(text)))


def _blocks(text: str) -> Iterator[list[str]]:
    """The lines of `text`, cut before every stage's name."""
    block: list[str] = []
    for line in text.splitlines(keepends=True):
        if re.match(r"(  )?\w", line):
            yield block
            block = []
        block.append(line)
    yield block


def _stage(lines: list[str], code: Mapping[str, Sequence[str]]) -> list[str]:
    name = re.match(r"  ([\w-]+):\s*$", lines[0]) if lines else None
    if name is None or not code.get(name[1]):
        return lines
    start, end, kept = _deps(lines)
    items = [f"      - {file}\n" for file in code[name[1]]]
    return [*lines[:start], "    deps:\n", *kept, *items, *lines[end:]]


def _deps(lines: list[str]) -> tuple[int, int, list[str]]:
    """Where the `deps` of a stage start and end, and the lines of those that are not code."""
    start = next((at for at, line in enumerate(lines) if line.startswith("    deps:")), None)
    if start is None:
        after = next(at for at, line in enumerate(lines) if line.startswith("    cmd:")) + 1
        while after < len(lines) and lines[after].startswith("     "):
            after += 1
        return after, after, []
    flow = re.search(r"\[(.*)\]", lines[start])
    if flow:
        items = [item.strip() for item in flow[1].split(",") if item.strip()]
        kept = [f"      - {item}\n" for item in items if not CODE.fullmatch(item)]
        return start, start + 1, kept
    end = start + 1
    while end < len(lines) and re.match(r"    +(- |#|  )", lines[end]):
        end += 1
    code = re.compile(rf"\s*- {CODE.pattern}\s*")
    return start, end, [line for line in lines[start + 1 : end] if not code.fullmatch(line)]


if __name__ == "__main__":
    old = PIPELINE.read_text(encoding="utf-8")
    new = rewritten(old)
    PIPELINE.write_text(new, encoding="utf-8")
    print("dvc.yaml: " + ("already right" if new == old else "code dependencies rewritten"))
