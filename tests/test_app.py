"""The command `lottery`: its table of commands, help, completion, and errors."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stages.shell import cli
from tests.project import ROOT
from tools.app import COMMANDS, app

HEAVY = ("torch", "transformers", "pandas", "scipy", "dvc", "distributed", "matplotlib")


def lottery(
    *arguments: str, folder: Path = ROOT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """The console script, which need not be installed here; its stderr lists the imported modules."""
    script = "import sys; from tools.app import main; sys.argv[0] = 'lottery'; main()"
    return subprocess.run(
        [sys.executable, "-X", "importtime", "-c", script, *arguments],
        cwd=folder, env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def imported(stderr: str) -> set[str]:
    """Top-level packages in the output of `-X importtime`."""
    lines = (line for line in stderr.splitlines() if line.startswith("import time:"))
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


@pytest.mark.parametrize("name", COMMANDS)
def test_summary_is_the_docstring_and_arguments_are_documented(name: str) -> None:
    module, summary = COMMANDS[name]
    main = import_module(module).main
    assert main.__doc__.splitlines()[0] == summary
    command = cli.command(main)
    assert not [parameter.name for parameter in command.params if not parameter.help]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name: str) -> None:
    result = CliRunner().invoke(app, [name, "--help"], prog_name="lottery")
    assert result.exit_code == 0
    assert f"Usage: lottery {name} " in result.stdout


def test_help_lists_commands_without_importing_them() -> None:
    done = lottery("--help")
    assert done.returncode == 0
    assert not [name for name in COMMANDS if f" {name} " not in done.stdout]
    assert "rich" in imported(done.stderr)
    assert not imported(done.stderr) & set(HEAVY)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_and_errors_of_a_command_do_not_wait_for_what_it_computes_with(name: str) -> None:
    for argument, code in [("--help", 0), ("--wrong", 2)]:
        done = lottery(name, argument)
        assert done.returncode == code
        assert f"Usage: lottery {name} " in done.stdout + done.stderr
        assert "rich" in imported(done.stderr)
        assert not imported(done.stderr) & set(HEAVY)


def test_completion_of_commands_imports_none() -> None:
    done = lottery(_LOTTERY_COMPLETE="complete_bash", COMP_WORDS="lottery im", COMP_CWORD="1")
    assert done.stdout.split() == ["import-masks"]
    assert not imported(done.stderr) & set(HEAVY)


def test_unknown_command_suggests_a_similar_one() -> None:
    done = lottery("verfy")
    assert done.returncode == 2
    assert "Did you mean 'verify'?" in done.stderr


def test_user_error_is_one_line(tmp_path: Path) -> None:
    done = lottery("import-masks", "missing.csv", folder=tmp_path)
    assert done.returncode == 1
    messages = [line for line in done.stderr.splitlines() if not line.startswith("import time:")]
    assert messages == [
        "error: missing.csv: no such file or folder; give a folder of .npy masks or a CSV table"
    ]
