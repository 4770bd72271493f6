"""Reading of parameter files and their sections."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from lottery import params
from lottery.errors import UserError
from lottery.params import Parameters
from stages.shell.sections import SECTIONS
from tests.project import ROOT


class OvenParameters(Parameters, frozen=True):
    heat: Annotated[float, Meta(gt=0, lt=1)]
    mode: Literal["bake", "grill"]
    trays: tuple[int, ...] = (1,)


VALID = {"heat": 0.5, "mode": "bake", "trays": [2, 3]}


def test_a_section_is_read_as_its_class() -> None:
    assert params.section(OvenParameters, {"oven": VALID}) == OvenParameters(
        heat=0.5, mode="bake", trays=(2, 3)
    )


@given(st.floats(0, 1, exclude_min=True, exclude_max=True))
def test_numbers_keep_their_value(heat: float) -> None:
    assert params.convert(OvenParameters, VALID | {"heat": heat}).heat == heat


@pytest.mark.parametrize(
    ("change", "excerpts"),
    [
        ({"heat": 0}, ["oven.heat = 0", "> 0"]),
        ({"heat": 1}, ["oven.heat = 1", "< 1"]),
        ({"heat": -1}, ["oven.heat = -1", "> 0"]),
        ({"heat": "ten"}, ["oven.heat = 'ten'", "float"]),
        ({"heat": True}, ["oven.heat = True", "float"]),
        ({"heat": None}, ["oven.heat = None", "float"]),
        ({"heat": float("nan")}, ["oven.heat = nan"]),
        ({"mode": "bakes"}, ["oven.mode = 'bakes'", "expected one of bake, grill"]),
        ({"trays": [1, "two"]}, ["oven.trays", "'two'", "int"]),
        ({"trays": 3}, ["oven.trays = 3"]),
        ({"haet": 0.5}, ["unknown key oven.haet", "did you mean `heat`"]),
    ],
    ids=str,
)
def test_an_invalid_value_is_one_line_with_key_and_value(
    change: dict[str, Any], excerpts: list[str]
) -> None:
    with pytest.raises(UserError) as caught:
        params.convert(OvenParameters, VALID | change)
    message = str(caught.value)
    assert "\n" not in message
    assert all(part in message for part in excerpts), message


@pytest.mark.parametrize("values", [None, 3, [], "text"], ids=str)
def test_a_section_must_be_a_mapping(values: Any) -> None:
    with pytest.raises(
        UserError, match=r"^parameters: oven = .*expected the keys heat, mode, trays"
    ):
        params.convert(OvenParameters, values)


def test_every_section_is_documented_with_its_class() -> None:
    page = (ROOT / "docs" / "parameters.md").read_text(encoding="utf-8")
    documented = re.findall(r"^## `(\w+)`: .*\n\nClass `([\w.]+)`\.", page, re.MULTILINE)
    assert documented == [
        (kind.section(), f"{kind.__module__}.{kind.__name__}") for kind in SECTIONS
    ]
    for name, owner in documented:
        assert owner.endswith(f".{name.capitalize()}Parameters")


def test_missing_keys_and_sections_and_unknown_sections_are_named() -> None:
    with pytest.raises(UserError, match=r"the key oven\.mode is missing"):
        params.convert(OvenParameters, {"heat": 0.5})
    with pytest.raises(UserError, match="section `oven` is missing"):
        params.section(OvenParameters, {"grill": VALID})
    with pytest.raises(UserError, match="unknown section `ovn`; did you mean `oven`"):
        params.read_sections([OvenParameters], {"oven": VALID, "ovn": VALID})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [1", "not readable as YAML"),
        ("- a\n- b\n", "expected sections of parameters, found"),
        ("", "expected sections of parameters, found NoneType"),
        ("a: 1\na: 2\n", "not readable as YAML"),
    ],
)
def test_a_malformed_file_is_refused_with_one_line(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=message) as caught:
        params.read(file)
    assert "\n" not in str(caught.value)


def test_a_missing_file_names_the_command_that_makes_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="make profile"):
        params.read(tmp_path / "params.yaml")


@pytest.mark.parametrize("text", ["3e-05", "3.0e-5", "0.00003"])
def test_every_notation_of_small_numbers_is_read(tmp_path: Path, text: str) -> None:
    file = tmp_path / "params.yaml"
    file.write_text(f"oven: {{heat: {text}, mode: bake}}\n", encoding="utf-8")
    assert params.section(OvenParameters, params.read(file)).heat == 3e-5
