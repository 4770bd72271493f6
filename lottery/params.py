"""Typed parameters: every section of params.yaml is described by a subclass of `Parameters`."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from reprlib import Repr
from typing import Any, Literal, TypeVar, cast, get_args, get_origin

import msgspec
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from lottery.errors import MALFORMED, UserError, suggestion

SHORT = Repr()
SHORT.maxstring = SHORT.maxother = 80
"""Shortens values in messages, however long or deeply nested they are."""


class Parameters(msgspec.Struct, frozen=True, kw_only=True):
    """Base class of the parameter sections: `PruneParameters` describes the section `prune`.

    Each field states its type and range: `Annotated[float, Meta(gt=0)]`.
    """

    @classmethod
    def section(cls) -> str:
        """The name of the section in params.yaml."""
        return cls.__name__.removesuffix("Parameters").lower()


P = TypeVar("P", bound=Parameters)
S = TypeVar("S", bound=msgspec.Struct)


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
    """The sections of a parameter file, in YAML 1.2, where `3e-05` is a number. Raises UserError if it is malformed."""
    try:
        tree = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path}: no such parameter file; choose one with `make profile`") from None
    except (YAMLError, *MALFORMED) as error:
        raise UserError(f"{path}: not readable as YAML: {error}") from None
    if not isinstance(tree, dict):
        raise UserError(f"{path}: expected sections of parameters, found {type(tree).__name__}")
    return tree


def section(kind: type[P], tree: Mapping[str, Any]) -> P:
    """The section of `tree` that `kind` describes. Raises UserError if it is missing or invalid."""
    if kind.section() not in tree:
        raise UserError(f"parameters: the section `{kind.section()}` is missing")
    return convert(kind, tree[kind.section()])


def convert(kind: type[P], values: Any) -> P:
    """The section `kind` with these values.

    Raises UserError if a key is unknown or missing, or a value has a wrong type or is out of range.
    """
    return structured(kind, kind.section(), values)


def structured(kind: type[S], name: str, values: Any) -> S:
    """The struct `kind` that the parameters call `name`, with these values. Raises UserError as `convert` does."""
    keys = kind.__struct_fields__
    if not isinstance(values, Mapping):
        text = SHORT.repr(values)
        raise UserError(f"parameters: {name} = {text}: expected the keys {', '.join(keys)}")
    for key in values:
        if key not in keys:
            raise UserError(
                f"parameters: unknown key {name}.{str(key)[:80]}{suggestion(key, keys)}"
            )
    fields = msgspec.structs.fields(kind)
    for field in fields:
        if field.required and field.name not in values:
            raise UserError(f"parameters: the key {name}.{field.name} is missing")
    given = [field for field in fields if field.name in values]
    return kind(**{field.name: _value(name, field, values[field.name]) for field in given})


def _value(section: str, field: msgspec.structs.FieldInfo, value: Any) -> Any:
    """A value converted to the type of its field. Field by field, so that the message can name the key."""
    try:
        return msgspec.convert(value, field.type)
    except msgspec.ValidationError as error:
        expected = str(error)[:1].lower() + str(error)[1:]
        if get_origin(field.type) is Literal:
            expected = f"expected one of {', '.join(get_args(field.type))}"
        text = f"{section}.{field.name} = {SHORT.repr(value)}"
        raise UserError(f"parameters: {text}: {expected}") from None


def read_sections(kinds: Iterable[type[Parameters]], tree: Mapping[str, Any]) -> Sections:
    """Every section of `kinds`. Raises UserError if one is missing, invalid or left over."""
    by_name = {kind.section(): kind for kind in kinds}
    for name in tree:
        if name not in by_name:
            raise UserError(f"parameters: unknown section `{name}`{suggestion(name, by_name)}")
    return Sections(section(kind, tree) for kind in by_name.values())
