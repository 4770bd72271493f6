"""Strict, typed parameters: one section of params.yaml for each module that owns knobs."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from reprlib import Repr
from typing import Any, TypeVar

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from lottery.faults import Fault

# What the parser raises over impossible dates, numbers, keys and depths, besides its own errors.
BROKEN = (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError)
SHORT = Repr()
SHORT.maxstring = SHORT.maxother = 80
"""Values in messages: never long, however large or deep they are."""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every parameter section. Fields state type and range: `Annotated[float, Meta(gt=0)]`."""


S = TypeVar("S", bound=Section)


def read(path: Path) -> Mapping[str, Any]:
    """The sections of a parameter file, read as YAML 1.2 (so that `3e-05` is a number)."""
    try:
        tree = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Fault(f"{path}: no such parameter file; choose one with `make profile`") from None
    except (OSError, YAMLError, *BROKEN) as error:
        raise Fault(f"{path}: not readable as YAML: {error}") from None
    if not isinstance(tree, dict):
        raise Fault(f"{path}: expected sections of parameters, found {type(tree).__name__}")
    return tree


def section(kind: type[S], name: str, tree: Mapping[str, Any]) -> S:
    """The section `name` of `tree` as a `kind`; anything unknown, missing or out of range is a Fault."""
    if name not in tree:
        raise Fault(f"parameters: the section `{name}` is missing")
    return convert(kind, name, tree[name])


def convert(kind: type[S], name: str, values: Any) -> S:
    """`values` as a `kind`, with faults that name the key, the value and what is allowed."""
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise Fault(f"parameters: {_explain(kind, name, values, str(error))}") from None


def whole(kinds: Mapping[str, type[Section]], tree: Mapping[str, Any]) -> dict[str, Section]:
    """Every section of `kinds`, none missing and none left over."""
    for name in tree:
        if name not in kinds:
            raise Fault(f"parameters: unknown section `{name}`{_suggest(name, kinds)}")
    return {name: section(kind, name, tree) for name, kind in kinds.items()}


def _explain(kind: type[Section], name: str, values: Any, message: str) -> str:
    reason, _, place = message.partition(" - at `$")
    allowed = kind.__struct_fields__
    if reason.startswith("Object contains unknown field"):
        key = reason.split("`")[1]
        return f"unknown key {name}.{key[:80]}{_suggest(key, allowed)}"
    if reason.startswith("Object missing required field"):
        return f"the key {name}.{reason.split('`')[1]} is missing"
    key = place.rstrip("`").lstrip(".").split(".")[0].split("[")[0]
    value = values.get(key) if isinstance(values, dict) else values
    return f"{name}{'.' + key if key else ''} = {SHORT.repr(value)}: {_lower(reason)}{_choices(kind, key)}"


def _choices(kind: type[Section], key: str) -> str:
    for field in msgspec.inspect.type_info(kind).fields:  # type: ignore[attr-defined]
        if field.name == key and isinstance(field.type, msgspec.inspect.LiteralType):
            return f"; allowed: {', '.join(map(str, field.type.values))}"
    return ""


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _suggest(word: str, known: Any) -> str:
    near = difflib.get_close_matches(str(word), list(known), n=1)
    return f"; did you mean `{near[0]}`?" if near else f"; known: {', '.join(known)}"
