"""Strict, typed parameters: one section of params.yaml for each class that derives from `Parameters`."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from reprlib import Repr
from typing import Any, TypeVar, cast

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from lottery.errors import UserError

# What the parser raises over impossible dates, numbers, keys and depths, besides its own errors.
BROKEN = (ValueError, TypeError, LookupError, AttributeError, OverflowError, RecursionError)
SHORT = Repr()
SHORT.maxstring = SHORT.maxother = 80
"""Values in messages: never long, however large or deep they are."""


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every parameter section: `PruneParameters` is the section `prune`.

    Fields state type and range: `Annotated[float, Meta(gt=0)]`.
    """

    @classmethod
    def section(cls) -> str:
        """The name of the section in params.yaml."""
        return cls.__name__.removesuffix("Parameters").lower()


P = TypeVar("P", bound=Parameters)


class Sections(Mapping[type[Parameters], Parameters]):
    """Parameter sections by class: `sections[PruneParameters].rate`."""

    def __init__(self, sections: Iterable[Parameters]) -> None:
        self._sections = {type(section): section for section in sections}

    def __getitem__(self, kind: type[P]) -> P:
        return cast(P, self._sections[kind])

    def __iter__(self) -> Iterator[type[Parameters]]:
        return iter(self._sections)

    def __len__(self) -> int:
        return len(self._sections)


def read(path: Path) -> Mapping[str, Any]:
    """Read the sections of a parameter file as YAML 1.2 (so that `3e-05` is a number)."""
    try:
        tree = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such parameter file; choose one with `make profile`") from None
    except (OSError, YAMLError, *BROKEN) as error:
        raise UserError(f"{path}: not readable as YAML: {error}") from None
    if not isinstance(tree, dict):
        raise UserError(f"{path}: expected sections of parameters, found {type(tree).__name__}")
    return tree


def section(kind: type[P], tree: Mapping[str, Any]) -> P:
    """The section of `tree` that `kind` owns; UserError for anything unknown, missing or out of range."""
    if kind.section() not in tree:
        raise UserError(f"parameters: the section `{kind.section()}` is missing")
    return convert(kind, tree[kind.section()])


def convert(kind: type[P], values: Any) -> P:
    """`values` as a `kind`; a UserError names the key, the value and what is allowed."""
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        raise UserError(f"parameters: {_explain(kind, values, str(error))}") from None


def read_sections(kinds: Iterable[type[Parameters]], tree: Mapping[str, Any]) -> Sections:
    """Every section of `kinds`. Raises UserError if one is missing, invalid or left over."""
    known = {kind.section(): kind for kind in kinds}
    for name in tree:
        if name not in known:
            raise UserError(f"parameters: unknown section `{name}`{_suggest(name, known)}")
    return Sections(section(kind, tree) for kind in known.values())


def _explain(kind: type[Parameters], values: Any, message: str) -> str:
    name = kind.section()
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


def _choices(kind: type[Parameters], key: str) -> str:
    for field in msgspec.inspect.type_info(kind).fields:  # type: ignore[attr-defined]
        if field.name == key and isinstance(field.type, msgspec.inspect.LiteralType):
            return f"; allowed: {', '.join(map(str, field.type.values))}"
    return ""


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _suggest(word: str, known: Any) -> str:
    near = difflib.get_close_matches(str(word), list(known), n=1)
    return f"; did you mean `{near[0]}`?" if near else f"; known: {', '.join(known)}"
