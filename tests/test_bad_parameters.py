"""Invalid values of every kind for every key of params.yaml: refused with one line that names the key."""

import math
from typing import Any

import pytest

from lottery import params
from lottery.errors import UserError
from stages.shell.sections import SECTIONS
from tests.project import ROOT

DEFAULT = params.read(ROOT / "profiles" / "default.yaml")


class Missing:
    """The absence of a value."""

    def __repr__(self) -> str:
        return "missing"


MISSING = Missing()
INVALID: dict[str, Any] = {
    "missing": MISSING,
    "a mapping": {"a": {"b": 1}},
    "empty text": "",
    "empty list": [],
    "nested": [[[]]],
    "not a number": math.nan,
    "infinite": -math.inf,
    "below any range": -2.5,
    "enormous": 10**400,
    "enormous list": list(range(-10_000, 0)),
    "a date": b"2020-01-01",
}
KEYS = [f"{kind.section()}.{key}" for kind in SECTIONS for key in kind.__struct_fields__]
ALLOWED = {
    ("retrain.kept", "empty list"),
    ("data.tasks", "missing"),
    ("rewind.tasks", "empty list"),
    ("rewind.seeds", "empty list"),
    ("rewind.controls", "empty list"),
    ("transfer.tasks", "empty list"),
    ("connectivity.tasks", "empty list"),
    ("connectivity.seeds", "empty list"),
}
CASES = [(name, kind) for name in KEYS for kind in INVALID if (name, kind) not in ALLOWED]


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_an_invalid_value_is_refused_by_name(name: str, kind: str) -> None:
    section, key = name.split(".")
    values = {**DEFAULT[section], key: INVALID[kind]}
    if INVALID[kind] is MISSING:
        del values[key]
    assert_refused({**DEFAULT, section: values}, name)


@pytest.mark.parametrize("name", [kind.section() for kind in SECTIONS])
@pytest.mark.parametrize("values", [MISSING, None, 3, "", [], {}, math.nan], ids=repr)
def test_an_invalid_section_is_refused_by_name(name: str, values: Any) -> None:
    tree = {**DEFAULT, name: values}
    if values is MISSING:
        del tree[name]
    assert_refused(tree, name)


@pytest.mark.parametrize("name", [kind.section() for kind in SECTIONS])
@pytest.mark.parametrize(
    "extra", ["", "no such key", "x" * 10_000, 7, None], ids=lambda key: str(key)[:9]
)
def test_an_unknown_key_is_refused(name: str, extra: Any) -> None:
    assert_refused({**DEFAULT, name: {**DEFAULT[name], extra: 1}}, name)


@pytest.mark.parametrize("extra", ["", "no such section", 7, None], ids=str)
def test_an_unknown_section_is_refused_by_name(extra: Any) -> None:
    assert_refused({**DEFAULT, extra: {}}, str(extra))


def assert_refused(tree: Any, name: str) -> None:
    with pytest.raises(UserError) as caught:
        params.read_sections(SECTIONS, tree)
    message = str(caught.value)
    assert name in message, message
    assert "\n" not in message
    assert len(message) < 500


@pytest.mark.parametrize(
    "text",
    [
        b"", b"\x00", b"\xff\xfe", b"[" * 100_000, b"a: &a [*a]", b"? {a: 1}\n: 2", b"a: 2001-99-99",
        b"!!python/object/apply:os.system [ls]", b"a: *nowhere", b"%YAML 9.9\n---\n", b"- - -\n  a",
        b"a: [" + b"x," * 50_000,
    ],
    ids=lambda text: repr(text[:20]),
)  # fmt: skip
def test_a_malformed_parameter_file_is_refused_with_one_line(tmp_path: Any, text: bytes) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(text)
    with pytest.raises(UserError) as caught:
        params.read_sections(SECTIONS, params.read(path))
    assert "\n" not in str(caught.value)
