"""Model cards of toy models, in every choice of the forms that fit them."""

import re
from itertools import chain, combinations

import pytest

from lottery.export.card import render
from lottery.export.export import Written
from lottery.export.form import FORMS, Form, fitting
from lottery.export.score import DevScore
from lottery.export.trained import TrainedModel
from lottery.subnetwork import Subnetwork
from lottery.tasks import get_task
from lottery.ticket import FULL, Key
from lottery.tickets.methods import MAGNITUDE, STRUCTURED
from tests import toys

SCORE = DevScore(0.8, 0.7, 0.9)
TICKETS: dict[str, tuple[Key, Subnetwork]] = {
    "full": (FULL, toys.encoder().config.survivors),
    "s-pruned": (STRUCTURED.good, toys.subnetwork(2)),
    "m-pruned": (MAGNITUDE.good, toys.weights(2, 0.5)),
}


def model(name: str, data: object = None) -> TrainedModel:
    key, subnetwork = TICKETS[name]
    return TrainedModel(
        task=get_task("rte"),
        seed=1,
        key=key,
        subnetwork=subnetwork,
        encoder=toys.encoder().pruned(subnetwork),
        tokenizer={"tokenizer_config.json": '{"model_max_length": 16}'},
        dev=toys.sentences(4),
        about={"splits": {"train": {"examples": 160}}, "data": data, "encoder": None},
    )


def card(trained: TrainedModel, forms: tuple[Form, ...]) -> str:
    return render(trained, [Written(form, 1000, SCORE) for form in forms], SCORE, None)


@pytest.mark.parametrize("name", TICKETS)
def test_a_card_speaks_of_the_files_that_were_written_and_of_no_others(name: str) -> None:
    trained = model(name)
    forms = fitting(trained)
    for chosen in chain.from_iterable(
        combinations(forms, count) for count in range(1, len(forms) + 1)
    ):
        text = card(trained, chosen)
        named = {form.file for form in FORMS.values() if f"`{form.file}`" in text}
        assert named == {form.file for form in chosen}
        assert len(chosen) > 1 or "other files" not in text


def test_a_card_says_from_how_many_examples() -> None:
    assert re.search(r"from 160 training\s+examples", card(model("full"), (FORMS["onnx"],)))


@pytest.mark.parametrize(
    ("stated", "line"),
    [
        ({}, "---\nlanguage: en\nlicense: other\n"),
        ({"language": "Swahili"}, '---\nlanguage: "Swahili"\nlicense: other\n'),
        ({"language": "not stated"}, "---\nlicense: other\n"),
    ],
)
def test_metadata_name_the_language_of_the_data(stated: dict[str, str], line: str) -> None:
    data = {"name": "mine", "parts": [], "notes": [], **stated}
    assert card(model("full", data), (FORMS["onnx"],)).startswith(line)
