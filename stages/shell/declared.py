"""The command line that a program declares, without importing what it computes with: help does not wait for torch."""

import ast
from collections.abc import Callable
from copy import copy
from functools import wraps
from importlib import import_module
from importlib.abc import InspectLoader
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from pathlib import Path

from stages.shell import cli
from stages.shell.imports import tree


class _Signature(InspectLoader):
    """Loads of a module the function `main` without its body, and what its parameters are declared with."""

    def get_source(self, fullname: str) -> str:
        """These statements as a program."""
        statements = tree(Path(*fullname.split(".")).with_suffix(".py")).body
        return ast.unparse(ast.Module(of_main(statements), type_ignores=[]))


def main(module: str) -> Callable[..., None]:
    """The `main` of a module by its declaration: the module itself is imported when `main` is called."""
    declaration = module_from_spec(ModuleSpec(module, loader := _Signature()))
    loader.exec_module(declaration)

    @wraps(declaration.main)
    def call(**arguments: object) -> None:
        import_module(module).main(**arguments)

    return call


def show_help(module: str) -> None:
    """Print the help of the program that `python -m` was to run, and end; if it is not there, Python says so."""
    if find_spec(module):
        cli.execute(cli.command(main(module)), f"python -m {module}")


def of_main(statements: list[ast.stmt]) -> list[ast.stmt]:
    """`main` with its docstring alone, after those statements of its module that its parameters need."""
    functions = (statement for statement in statements if isinstance(statement, ast.FunctionDef))
    signature = copy(next(function for function in functions if function.name == "main"))
    signature.body = signature.body[:1]
    kept: list[ast.stmt] = [signature]
    needed = _names(signature, ast.Load)
    for statement in reversed(statements):
        if part := _binding(statement, needed):
            kept.insert(0, part)
            needed |= _names(part, ast.Load)
    return kept


def _binding(statement: ast.stmt, names: set[str]) -> ast.stmt | None:
    """The statement if it binds one of these names, of an import only these names; otherwise nothing."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        part = copy(statement)
        part.names = [
            alias
            for alias in statement.names
            if (alias.asname or alias.name.partition(".")[0]) in names
        ]
        return part if part.names else None
    bound = {getattr(statement, "name", "")} | _names(statement, ast.Store)
    return statement if bound & names else None


def _names(statement: ast.stmt, context: type[ast.expr_context]) -> set[str]:
    return {
        node.id
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, context)
    }
