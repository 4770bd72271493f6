"""The prose of the report follows the parameters, whatever their allowed values."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
import pytest

from lottery.params import Parameters, Sections
from lottery.report import markdown
from lottery.report.blocks import Document
from lottery.report.material import Material
from lottery.report.report import compose
from lottery.tickets.parameters import MagnitudeParameters, PruneParameters
from stages.shell.sections import SECTIONS
from tests.records import ToyExperiment
from tests.reports import unwritten


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Material:
    return unwritten(ToyExperiment(tasks=("sst2",), seeds=(1, 2)), tmp_path_factory.mktemp("toy"))


def literals(annotation: Any) -> Iterator[str]:
    """The values of every Literal in a type, but those that are keys of a mapping."""
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    elif get_origin(annotation) is not Mapping:
        yield from (value for inner in get_args(annotation) for value in literals(inner))


ALLOWED = [
    (kind, key, value)
    for kind in SECTIONS
    for key, annotation in get_type_hints(kind).items()
    for value in literals(annotation)
]


@pytest.mark.parametrize(("kind", "key", "value"), ALLOWED)
def test_every_allowed_value_is_reported(
    toy: Material, kind: type[Parameters], key: str, value: str
) -> None:
    several = isinstance(getattr(toy.parameters[kind], key), tuple)
    changed = msgspec.structs.replace(toy.parameters[kind], **{key: (value,) if several else value})
    parameters = Sections(({**toy.parameters, kind: changed}).values())
    text = markdown.render(compose(replace(toy, parameters=parameters)))
    assert re.search(rf"`{kind.section()}\.{key}` +\| {value} ", text)


def test_prose_follows_the_parameters(toy: Material) -> None:
    def methods(**changes: Parameters) -> str:
        sections = {type(each): each for each in [*toy.parameters.values(), *changes.values()]}
        document = compose(replace(toy, parameters=Sections(sections.values())))
        [section] = [each for each in document.sections if each.title == "Methods"]
        return markdown.render(Document("", section.blocks, []))

    prune, magnitude = toy.parameters[PruneParameters], toy.parameters[MagnitudeParameters]
    rate = msgspec.structs.replace(magnitude, rate=0.25, biases=True)
    assert "the 10 % of the remaining weights" in methods()
    assert "the 25 % of the remaining weights" in methods(magnitude=rate)
    assert "and their biases" in methods(magnitude=rate)
    floor = msgspec.structs.replace(prune, floor=0.5, data="dev")
    assert "90 % or more of the full model's and at 0.500 or more" in methods(prune=floor)
    assert "optimistic" in methods(prune=floor)
