"""Every key of params.yaml, wrong in every way: one line that names it, before any work is done."""

import math
from typing import Any

import pytest

from lottery import params
from lottery.errors import UserError
from stages.shell.sections import SECTIONS
from tests.project import ROOT

DEFAULT = params.read(ROOT / "profiles" / "default.yaml")
GONE = object()
WRONG: dict[str, Any] = {
    "missing": GONE,
    "a mapping": {"a": {"b": 1}},
    "empty text": "",
    "empty list": [],
    "nested": [[[]]],
    "no number": math.nan,
    "infinite": -math.inf,
    "below any range": -2.5,
    "enormous": 10**400,
    "enormous list": list(range(-10_000, 0)),
    "a date": b"2020-01-01",
}
KEYS = [f"{kind.section()}.{key}" for kind in SECTIONS for key in kind.__struct_fields__]


@pytest.mark.parametrize("way", WRONG)
@pytest.mark.parametrize("place", KEYS)
def test_a_key_that_is_wrong_in_any_way_is_named(place: str, way: str) -> None:
    section, key = place.split(".")
    values = {**DEFAULT[section], key: WRONG[way]}
    if WRONG[way] is GONE:
        del values[key]
    refuse({**DEFAULT, section: values}, f"{section}.{key}")


@pytest.mark.parametrize("name", [kind.section() for kind in SECTIONS])
@pytest.mark.parametrize("values", [GONE, None, 3, "", [], {}, math.nan], ids=repr)
def test_a_section_that_is_wrong_is_named(name: str, values: Any) -> None:
    tree = {**DEFAULT, name: values}
    if values is GONE:
        del tree[name]
    refuse(tree, name)


@pytest.mark.parametrize("name", [kind.section() for kind in SECTIONS])
@pytest.mark.parametrize(
    "extra", ["", "no such key", "x" * 10_000, 7, None], ids=lambda e: str(e)[:9]
)
def test_a_key_too_many_is_named(name: str, extra: Any) -> None:
    refuse({**DEFAULT, name: {**DEFAULT[name], extra: 1}}, name)


@pytest.mark.parametrize("extra", ["", "no such section", 7, None], ids=str)
def test_a_section_too_many_is_named(extra: Any) -> None:
    refuse({**DEFAULT, extra: {}}, str(extra))


def refuse(tree: Any, place: str) -> None:
    with pytest.raises(UserError) as caught:
        params.read_sections(SECTIONS, tree)
    told = str(caught.value)
    assert place in told, told
    assert "\n" not in told
    assert len(told) < 500


@pytest.mark.parametrize(
    "text",
    [
        b"", b"\x00", b"\xff\xfe", b"[" * 100_000, b"a: &a [*a]", b"? {a: 1}\n: 2", b"a: 2001-99-99",
        b"!!python/object/apply:os.system [ls]", b"a: *nowhere", b"%YAML 9.9\n---\n", b"- - -\n  a",
        b"a: [" + b"x," * 50_000,
    ],
    ids=lambda text: repr(text[:20]),
)  # fmt: skip
def test_what_is_no_parameter_file_is_one_line(tmp_path: Any, text: bytes) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(text)
    with pytest.raises(UserError) as caught:
        params.read_sections(SECTIONS, params.read(path))
    assert "\n" not in str(caught.value)
