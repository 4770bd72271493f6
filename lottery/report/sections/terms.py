"""The terms of the report, before it uses them."""

from collections.abc import Iterator

from lottery.report.blocks import Definitions
from lottery.report.material import Material
from lottery.tickets.methods import METHODS
from lottery.tickets.parameters import ControlsParameters, PruneParameters
from lottery.vocabulary import UNITS
from lottery.wording import listed, setting

RANDOM = {
    "exact": "as many components as good keeps, drawn at random",
    "bernoulli": "about as many components as good keeps, drawn at random",
}
BAD = {
    "unsurvived": "as many components as good keeps, first those that good has lost",
    "smallest": "as many components as good keeps: the smallest weights, or first the heads and MLPs that it lost",
}
DEV = {
    "select": "examples that nothing was chosen on; all scores are on dev unless stated",
    "dev": "the examples that drive the searches, as in the paper, and on which all scores are reported",
}


def terms(material: Material) -> Iterator[Definitions]:
    """Kinds and states of subnetworks, splits, and the scale of scores."""
    prune = material.parameters[PruneParameters]
    controls = material.parameters[ControlsParameters]
    methods = "; ".join(
        f"{method.title} removes {listed(UNITS[unit] for unit in method.units)}"
        for method in METHODS.values()
    )
    yield Definitions(
        [
            ("full", "the fine-tuned model, with nothing removed"),
            (
                "good",
                f"what a search leaves that prunes while the score on {prune.data} stays at {setting(prune.threshold)}"
                f" or more of the full model's; {methods}",
            ),
            ("random", RANDOM[controls.random]),
            ("bad", BAD[controls.bad]),
            ("super", "what every seed of a task keeps"),
            ("pruned", "the fine-tuned model, scored without the removed components"),
            (
                "retrained",
                "the pre-trained weights, fine-tuned again with the same components removed",
            ),
            ("matched", "cut to the same share of the weights with every seed and task"),
            ("select", "examples held out of the training data for the searches"),
            ("dev", DEV[prune.data]),
            ("cell", "one task with one seed; each seed draws its own train and select"),
            (
                "r",
                "chance-corrected score, (score - guess) / (full - guess), where guess is the majority class, 0 for"
                " correlations: 1 is the full model, 0 is guessing",
            ),
        ]
    )
