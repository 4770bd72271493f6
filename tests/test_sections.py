"""Sections of the report, from tables and origins that are made up."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import msgspec
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lottery import params
from lottery.params import Sections
from lottery.report.blocks import Block, Bullets
from lottery.report.material import Material
from lottery.report.origins import described
from lottery.report.provenance import Provenance
from lottery.report.sections import methods, verdicts
from lottery.report.sections.closing import limitations
from lottery.report.sections.unsaid import unsaid
from lottery.tickets.methods import MAGNITUDE, METHODS
from lottery.tickets.parameters import ImportanceParameters, MagnitudeParameters
from lottery.tickets.saliencies import OF_WEIGHTS, SALIENCIES
from lottery.vocabulary import TICKET_STATE
from stages.shell.sections import SECTIONS
from tests.project import ROOT

FLATTERS = "Choosing on the data that are reported"
TITLES = {"sst2": "SST-2", "stsb": "STS-B"}
COLUMNS = {
    "agreement": ["method", "unit", "matched", "kappa"],
    "averages": [*TICKET_STATE, "matched", "mean"],
    "published": [*TICKET_STATE, "share"],
    "searches": ["sparsity"],
    "verdicts": ["family", "published_verdict"],
}


def toy(selection: pd.DataFrame | None = None, languages: Mapping[str, str] = {}) -> Material:
    """The inputs of a report of two tasks, whose tables are empty but for the one given."""
    tree = params.read(ROOT / "profiles" / "default.yaml")
    tables = {name: pd.DataFrame(columns=columns) for name, columns in COLUMNS.items()}
    tables["tasks"] = pd.DataFrame({"task": TITLES.keys(), "title": TITLES.values()})
    tables["survival"] = pd.DataFrame({"layer": [11], "index": [11]})
    tables["selection"] = pd.DataFrame() if selection is None else selection
    sizes = {"train": {"examples": 5000}}
    return Material(
        tables=tables,
        meta={
            task: {
                "splits": sizes,
                "data": {"language": languages[task]} if task in languages else None,
            }
            for task in TITLES
        },
        parameters=params.read_sections(SECTIONS, tree),
        figures="figures",
        provenance=Provenance(None, False, None, {}, "a machine", ()),
    )


def bullets(blocks: Iterator[Block]) -> list[str]:
    return [item for block in blocks if isinstance(block, Bullets) for item in block.texts]


@settings(max_examples=30)
@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(0, 1)), min_size=4, max_size=4))
def test_choosing_is_said_to_flatter_where_most_intervals_beyond_0_are_above(
    intervals: list[tuple[float, float]],
) -> None:
    cells = [(task, method) for task in TITLES for method in METHODS]
    selection = pd.DataFrame(
        [
            {"task": task, "method": method, "quantity": "gap"}
            | {"mean": mean, "low": mean - half, "high": mean + half}
            for (task, method), (mean, half) in zip(cells, intervals, strict=True)
        ]
    )
    said = bullets(unsaid(toy(selection)))
    above = sum(mean - half > 0 for mean, half in intervals)
    below = sum(mean + half < 0 for mean, half in intervals)
    flatters = [text for text in said if FLATTERS in text]
    assert len(flatters) == (above > below)
    assert all(f"{above} lie above 0 and {below} below" in text for text in flatters)


def test_origins_name_the_packages_of_each_licence() -> None:
    def archive(package: str, licence: str) -> dict[str, str]:
        return {"package": package, "version": "1.0", "licence": licence}

    parts = [[archive("a", "MIT")], [archive("b", "Apache-2.0")], [archive("c", "MIT")]]
    origin = {"name": "texts", "parts": [*parts, parts[0]], "notes": ["A note."]}
    said = "**Data** (texts; licence: MIT (a 1.0, c 1.0); Apache-2.0 (b 1.0)). A note."
    assert described("Data", origin) == said
    unpackaged = [[{"package": "mine", "licence": "CC0", "source": "files"}]]
    assert described("Data", origin | {"parts": unpackaged, "notes": []}) == (
        "**Data** (texts; licence: CC0)."
    )


@pytest.mark.parametrize(
    ("languages", "words"),
    [
        ({}, "Text in English,"),
        ({"sst2": "Swahili"}, "Text in English and Swahili,"),
        ({"sst2": "not stated"}, "Text in English,"),
        ({"sst2": "not stated", "stsb": "not stated"}, "Text in a language that is not stated,"),
    ],
)
def test_limitations_name_the_languages(languages: Mapping[str, str], words: str) -> None:
    assert any(words in text for text in bullets(limitations(toy(languages=languages))))


def ranked_by(units: str, weights: str) -> Material:
    material = toy()
    sections = material.parameters
    others = [
        msgspec.structs.replace(sections[ImportanceParameters], saliency=units),
        msgspec.structs.replace(sections[MagnitudeParameters], saliency=weights),
    ]
    return replace(material, parameters=Sections([*sections.values(), *others]))


@pytest.mark.parametrize("units", SALIENCIES)
@pytest.mark.parametrize("weights", OF_WEIGHTS)
def test_a_report_warns_where_its_searches_rank_otherwise_than_the_paper(
    units: str, weights: str
) -> None:
    material = ranked_by(units, weights)
    said = [block.text for block in verdicts.other_saliencies(material)]
    as_the_paper = (units, weights) == ("gate", "magnitude")
    assert bool(said) != as_the_paper
    if said:
        assert (
            f"ranked by {SALIENCIES[units].title}, weights by {SALIENCIES[weights].title}"
            in said[0]
        )
    texts = methods.REMOVAL[MAGNITUDE.name](material.parameters)
    assert ("Nothing is trained between steps" in texts) == (weights != "movement")
    assert ("Each ranking trains for 16 steps" in texts) == (weights == "movement")
