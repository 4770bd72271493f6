"""Command lines read from the declarations of programs: those of the whole modules, without their imports."""

import ast
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module

import pytest

from stages.shell import cli, declared
from tests.project import ROOT, files
from tests.test_app import HEAVY, imported
from tools.app import COMMANDS

SCRIPTS = [file for file in files("stages") if "cli.run(" in (ROOT / file).read_text()]
STAGES = [f"stages.{file.stem}" for file in SCRIPTS]
PROGRAM = """
import heavy.things
from heavy import Model, SIZES as sizes, more
from light import Option, unused
limit: int = 3
class Choice(Option): pass
Size = Choice(limit)
Other = heavy.things.Other
def helper(model: Model) -> None: ...
def main(size: Size = sizes[0]) -> None:
    "First line."
    helper(more(size))
"""
DECLARATION = """
from heavy import SIZES as sizes
from light import Option
limit: int = 3
class Choice(Option): pass
Size = Choice(limit)
def main(size: Size = sizes[0]) -> None:
    "First line."
"""


def help_of(main: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> str:
    """The help of a program with this function."""
    with pytest.raises(SystemExit, match="0"):
        cli.command(main)(["--help"], prog_name="program")
    return capsys.readouterr().out


@pytest.mark.parametrize("module", [*STAGES, *(module for module, _ in COMMANDS.values())])
def test_help_of_a_declaration_is_that_of_the_module(
    module: str, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = help_of(import_module(module).main, capsys)
    assert "Usage: program" in expected
    assert help_of(declared.main(module), capsys) == expected


def test_a_declaration_is_what_the_parameters_of_main_need() -> None:
    kept = ast.Module(declared.of_main(ast.parse(PROGRAM).body), type_ignores=[])
    assert ast.unparse(kept) == ast.unparse(ast.parse(DECLARATION))


@pytest.mark.parametrize("stage", STAGES)
def test_help_of_a_stage_does_not_wait_for_what_it_computes_with(stage: str) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", stage, "--help"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert f"Usage: python -m {stage} [OPTIONS]" in done.stdout
    assert "rich" in imported(done.stderr)
    assert not imported(done.stderr) & set(HEAVY)
