"""The rules on the door, computed from the files: see CONTRIBUTING.md."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from stages.shell.imports import imports, names, tree
from tests.project import ROOT, files, tracked

# Which packages each package may import from; a module of lottery/ itself belongs to the package `lottery`.
EARLIER = {
    "lottery": "",
    "lottery.runtime": "lottery",
    "lottery.checkpoint": "lottery",
    "lottery.data": "lottery lottery.checkpoint",
    "lottery.model": "lottery lottery.runtime lottery.checkpoint lottery.data",
    "lottery.tickets": "lottery lottery.runtime lottery.checkpoint lottery.data lottery.model",
    "lottery.attention": "lottery lottery.runtime lottery.data lottery.model",
    "lottery.analysis": "lottery lottery.data lottery.tickets lottery.attention",
    "lottery.report": "lottery lottery.runtime lottery.data lottery.model lottery.tickets lottery.attention"
    " lottery.analysis",
    "lottery.verification": "lottery lottery.runtime lottery.data lottery.model lottery.tickets",
    "lottery.bundle": "lottery",
    "lottery.export": "lottery lottery.runtime lottery.checkpoint lottery.data lottery.model lottery.tickets"
    " lottery.report lottery.verification",
    "stages.shell": "lottery",
    "stages": "lottery stages.shell",
    "cluster": "lottery stages.shell",
    "tools": "lottery stages.shell cluster",
}
LATE_IMPORTS = {
    "stages/__init__.py": "only help needs what shows it",
    "stages/fetch.py": "only own data load `datasets`",
    "lottery/data/hub.py": "only a download from the hub loads `datasets`",
    "lottery/tickets/baselines.py": "only the share of a cell with the bag of words loads scikit-learn",
    "lottery/tickets/methods.py": "tables and the report read the records without loading torch",
    "lottery/tickets/saliencies.py": "the report reads the records without loading torch",
    "tests/fuzz/harness.py": "the fuzzer instruments what is imported inside its block",
}
LOTTERY, CLUSTER = files("lottery"), files("cluster")
STAGES, TESTS = files("stages"), files("tests")
each = pytest.mark.parametrize("file", LOTTERY, ids=str)
every = pytest.mark.parametrize(
    "file", [*LOTTERY, *CLUSTER, *STAGES, *TESTS, *files("benchmarks", "tools")], ids=str
)


@pytest.mark.parametrize("package", EARLIER)
def test_packages_import_earlier_packages_only(package: str) -> None:
    allowed = {package, *EARLIER[package].split()}
    if not package.startswith("lottery"):
        allowed |= {name for name in EARLIER if name.startswith("lottery.")}
    wrong = [
        f"{file} imports {imported}"
        for file in files(package.replace(".", "/"))
        if _package(file) == package
        for imported in sorted(imports(file))
        if _package(imported) not in allowed
    ]
    assert not wrong, "\n".join(wrong)


def test_every_package_has_its_place() -> None:
    assert {_package(file) for file in [*LOTTERY, *CLUSTER, *STAGES, *files("tools")]} == {*EARLIER}


def _package(file: Path) -> str:
    """The package of a file that EARLIER speaks of: at most two names."""
    return ".".join(file.parent.parts[:2])


def test_no_cycles() -> None:
    left = {file: imports(file) for file in [*LOTTERY, *CLUSTER, *STAGES, *files("tools")]}
    while leaves := {file for file, needs in left.items() if not needs & left.keys()}:
        left = {file: needs for file, needs in left.items() if file not in leaves}
    assert not left, f"import each other in a circle: {', '.join(sorted(map(str, left)))}"


@every
def test_imports_stand_at_the_top(file: Path) -> None:
    nested = [
        node.lineno
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Import | ast.ImportFrom) and node.col_offset
        if str(file) not in LATE_IMPORTS
    ]
    assert not nested, f"{file}: import inside a block, line {nested}"


def test_variables_are_not_called_what_contributing_forbids() -> None:
    rule = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    listed = re.search(r"^- Variables are nouns of the domain:.*; not (.*)\.$", rule, re.MULTILINE)
    assert listed is not None
    forbidden = set(re.findall(r"`(\w+)`", listed[1]))
    wrong = [
        f"{file}:{line}: {name}"
        for file in [*LOTTERY, *CLUSTER, *STAGES, *files("benchmarks", "tools")]
        for line, name in _bound(file)
        if name in forbidden
    ]
    assert forbidden
    assert not wrong, "\n".join(wrong)


def _bound(file: Path) -> Iterator[tuple[int, str]]:
    """Lines and names of the variables and parameters of a file."""
    for node in ast.walk(tree(file)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg


@each
def test_lottery_is_silent_and_knows_no_pipeline(file: Path) -> None:
    roots = {name.split(".")[0] for name in names(file)}
    assert not roots & {
        "typer",
        "click",
        "rich",
        "dvc",
        "distributed",
        "cluster",
        "stages",
        "tests",
        "tools",
    }
    calls = {ast.unparse(node.func) for node in ast.walk(tree(file)) if isinstance(node, ast.Call)}
    assert not calls & {"print", "input"}
    assert "params.yaml" not in _constants(file)


@pytest.mark.parametrize(
    "package", ["benchmarks", "cluster", "lottery", "lottery/analysis", "tests", "tools"]
)
def test_packages_export_nothing(package: str) -> None:
    assert not (ROOT / package / "__init__.py").read_text(encoding="utf-8")


@every
def test_files_and_functions_are_short(file: Path) -> None:
    length = len((ROOT / file).read_text(encoding="utf-8").splitlines())
    assert length <= 250, f"{file} has {length} lines"
    long = [
        f"{node.name} ({lines})"
        for node in ast.walk(tree(file))
        if isinstance(node, ast.FunctionDef) and (lines := _lines(node)) > 40
    ]
    assert not long, f"{file}: more than 40 lines of code: {', '.join(long)}"


@every
def test_nothing_is_unpickled_and_no_shell_is_called(file: Path) -> None:
    roots = {name.split(".")[0] for name in names(file)}
    assert not roots & {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}
    for call in (node for node in ast.walk(tree(file)) if isinstance(node, ast.Call)):
        function = ast.unparse(call.func)
        assert function not in {"torch.load", "os.system", "os.popen", "eval", "exec"}
        for keyword in call.keywords:
            unsafe = keyword.arg in {"allow_pickle", "trust_remote_code", "shell"}
            assert not unsafe or ast.unparse(keyword.value) == "False", f"{file}:{call.lineno}"


def test_no_path_of_one_machine_and_no_host_of_a_package_index() -> None:
    hosts = [r"pypi" + r"\.org", r"files\.python" + "hosted", r"download\.py" + r"torch\.org"]
    paths = [rf"(?<![\w./])/{folder}/\w" for folder in ("home", "Users", "root", "work", "opt")]
    forbidden = re.compile("|".join([*hosts, *paths]))
    found = [
        f"{file}:{number}: {line.strip()[:80]}"
        for file in tracked()
        for number, line in enumerate(_text(file).splitlines(), 1)
        if forbidden.search(line)
    ]
    assert not found, "\n".join(found)


def _text(file: Path) -> str:
    try:
        return (ROOT / file).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def _constants(file: Path) -> set[object]:
    return {node.value for node in ast.walk(tree(file)) if isinstance(node, ast.Constant)}


def _lines(function: ast.FunctionDef) -> int:
    """Lines of a function without its docstring."""
    document = function.body[0] if ast.get_docstring(function) is not None else None
    skipped = (document.end_lineno or 0) - document.lineno + 1 if document else 0
    return (function.end_lineno or 0) - function.lineno + 1 - skipped
