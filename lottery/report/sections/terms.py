"""The terms of the report, before it uses them."""

from collections.abc import Iterator

from lottery.report.blocks import Definitions
from lottery.report.material import Material
from lottery.tickets.methods import METHODS
from lottery.tickets.parameters import PruneParameters
from lottery.vocabulary import UNITS
from lottery.wording import listed, setting


def terms(material: Material) -> Iterator[Definitions]:
    """Kinds and states of subnetworks, splits, and the scale of scores."""
    prune = material.parameters[PruneParameters]
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
            ("random", "as many components as good keeps, drawn at random"),
            ("bad", "as many components as good keeps, first those that good has lost"),
            ("super", "what every seed of a task keeps"),
            ("pruned", "the fine-tuned model, scored without the removed components"),
            (
                "retrained",
                "the pre-trained weights, fine-tuned again with the same components removed",
            ),
            ("matched", "cut to the same share of the weights with every seed and task"),
            ("select", "examples held out of the training data, which drive the searches"),
            ("dev", "examples that nothing was chosen on; all scores are on dev unless stated"),
            ("cell", "one task with one seed; each seed draws its own train and select"),
            (
                "r",
                "chance-corrected score, (score - guess) / (full - guess), where guess is the majority class, 0 for"
                " correlations: 1 is the full model, 0 is guessing",
            ),
        ]
    )
