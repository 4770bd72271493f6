"""The section on methods: a paragraph for each step of the experiment, worded by its parameters."""

from collections.abc import Callable, Iterator, Mapping

from lottery.model.parameters import FinetuneParameters
from lottery.params import Sections
from lottery.report.blocks import Block, Folded, Paragraph
from lottery.report.material import Material
from lottery.runtime.parameters import ComputeParameters
from lottery.tickets.methods import MAGNITUDE, METHODS, STRUCTURED, Method
from lottery.tickets.parameters import (
    ControlsParameters,
    ImportanceParameters,
    MagnitudeParameters,
    PruneParameters,
)
from lottery.tickets.saliencies import GATE, SALIENCIES, Saliency
from lottery.tickets.saliencies import MAGNITUDE as SMALLEST
from lottery.vocabulary import UNITS
from lottery.wording import counted, listed, number, setting

PRECISION = {
    "float32": "",
    "bfloat16": " Matrix products are computed in bfloat16, everything else in float32.",
    "auto": " Matrix products are computed in bfloat16 where the machine supports it (see Provenance), everything else"
    " in float32, so results differ slightly between kinds of machine.",
}
DATA = {
    "select": "The searches use examples held out of the training data (select); dev is used for reporting only.",
    "dev": "The searches use the dev examples that this report is about, as in the paper, so the scores of good"
    " subnetworks are optimistic.",
}
REDUCTION = {
    "example": "one absolute value per example",
    "batch": "one absolute value per batch mean",
    "cumulative": "one absolute value per running sum of batch means, as in the authors' code",
}
NORMALISE = {"surviving": "the surviving heads of their layer", "all": "all heads of their layer"}
NEURONS = {False: "", True: ", then single neurons of the MLPs that are left"}
ENTRY = {
    "fresh": "",
    "stale": "; later phases start from the importance of the rejected candidate, as in the authors' code",
}
RANDOM = {
    "exact": "has the same size and is drawn uniformly",
    "bernoulli": "is drawn uniformly: as many weights, but each head and MLP with the share of survivors as its"
    " probability, so that their number agrees on average only",
}
BAD = {
    "unsurvived": "has the same size and is filled first with what did not survive",
    "smallest": "has the same size and takes the smallest weights; of heads and MLPs, first those that did not survive",
}
STATISTICS = (
    "**Statistics.** Tasks are fixed strata, seeds the replicates: each seed draws its own train and select. Draws"
    " of a kind are averaged within their cell, but for ranks, which compare masks of one model."
    " Differences of r are tested by Welch-Satterthwaite t tests over tasks, moderated by the pooled variance where"
    " seeds are few; good among random masks by the exact distribution of the rank sum; bad below random by a t test"
    " of the share of pairs won; claims of equality by two one-sided tests. Holm's correction holds in each family; a"
    " secondary claim is tested only where its clause is decided. Tables of single metrics show t intervals over"
    " seeds."
)


def methods(material: Material) -> Iterator[Block]:
    """Fine-tuning, the searches, the controls, statistics; all folded."""
    yield Paragraph("The paper's procedure, with the parameters of this run.")
    yield Folded("Fine-tuning, searches, controls and statistics", list(_methods(material)))


def _methods(material: Material) -> Iterator[Paragraph]:
    parameters = material.parameters
    yield Paragraph(
        _finetuning(parameters[FinetuneParameters], material.shape)
        + PRECISION[parameters[ComputeParameters].precision]
    )
    yield Paragraph(_search(parameters[PruneParameters]))
    for method in METHODS.values():
        yield Paragraph(f"**{method.title}** {_removal(method, parameters)}")
    yield Paragraph(_controls(parameters[ControlsParameters]))
    yield Paragraph(STATISTICS)


def _finetuning(recipe: FinetuneParameters, shape: tuple[int, int]) -> str:
    layers, heads = shape
    warmup = (
        f"rises over the first {setting(recipe.warmup)} of the steps and then "
        if recipe.warmup
        else ""
    )
    return (
        f"**Fine-tuning.** The encoder has {counted(layers, 'layer')}, each of {counted(heads, 'head')} and one MLP."
        f" With each seed it is fine-tuned for {counted(recipe.epochs, 'epoch')} in batches of {recipe.batch}: AdamW"
        f" without weight decay, a learning rate of {recipe.learning_rate:g} that {warmup}falls linearly to 0, gradient"
        f" norms clipped at {recipe.clip:g}. The seed sets the initial classifier, the order of the examples and"
        " dropout."
    )


def _search(prune: PruneParameters) -> str:
    return (
        f"**The searches.** A search keeps pruning while the score stays at {setting(prune.threshold)} or more of the"
        f" full model's{_floor(prune.floor)}, and returns the last subnetwork that met this threshold."
        f" {DATA[prune.data]}"
    )


def _floor(floor: float | str | None) -> str:
    """The absolute score that a search must keep besides its share of the full score."""
    if floor is None:
        return ""
    if isinstance(floor, str):
        return " and significantly above that of guessing on the same data"
    return f" and at {number(floor)} or more"


def _removal(method: Method, parameters: Sections) -> str:
    """A method's pruning in words; a method without a paragraph here is described by its units."""
    if method.name in REMOVAL:
        return REMOVAL[method.name](parameters)
    return f"removes {listed(UNITS[unit] for unit in method.units)}."


def _structured(parameters: Sections) -> str:
    prune, importance = parameters[PruneParameters], parameters[ImportanceParameters]
    return (
        f"removes whole heads and MLPs. Their importance is {_importance(importance)}."
        f" Each step removes the least important {setting(prune.rate)} of all heads together with the least important"
        " MLP; once such a step would fall below the threshold, heads alone in"
        f" steps of half the size, then MLPs alone{NEURONS[importance.neurons]}."
        f" Importance is computed again after every step{ENTRY[prune.entry]}."
    )


def _importance(parameters: ImportanceParameters) -> str:
    """The importance of heads and MLPs in words."""
    if parameters.saliency != GATE.name:
        return f"the sum over their weights of {SALIENCIES[parameters.saliency].words}"
    return (
        "the expected absolute gradient of the loss at"
        f" a gate on each of them ({REDUCTION[parameters.reduction]}; Michel et al. 2019); for heads it is divided by"
        f" its L2 norm over {NORMALISE[parameters.normalise]}"
    )


def _trained(saliency: Saliency) -> str:
    """The training between the steps of a search, in words."""
    if not saliency.steps:
        return "Nothing is trained between steps."
    return f"Each ranking trains for {counted(saliency.steps, 'step')}, which are undone."


def _magnitude(parameters: Sections) -> str:
    prune, magnitude = parameters[PruneParameters], parameters[MagnitudeParameters]
    rate = prune.rate if magnitude.rate is None else magnitude.rate
    biases = " and their biases" if magnitude.biases else ""
    saliency = SALIENCIES[magnitude.saliency]
    lowest = "smallest in magnitude"
    if saliency is not SMALLEST:
        lowest = f"lowest in saliency ({saliency.words})"
    return (
        f"removes single weights: at each step the {setting(rate)} of the remaining weights that are"
        f" {lowest}, over all matrices of attention and MLPs{biases} together. Embeddings, layer norms,"
        f" pooler and classifier are not pruned. {_trained(saliency)}"
    )


REMOVAL: Mapping[str, Callable[[Sections], str]] = {
    STRUCTURED.name: _structured,
    MAGNITUDE.name: _magnitude,
}


def _controls(controls: ControlsParameters) -> str:
    sparsities = listed(setting(sparsity) for sparsity in controls.matched)
    matched = (
        f" Tickets of all cells are compared with {sparsities} of the weights removed: *good* is the step of the"
        " search's first phase that comes nearest to that."
        if controls.matched
        else ""
    )
    return (
        f"**Controls.** *Good* is what a search returned. *Random* {RANDOM[controls.random]}"
        f" ({counted(controls.random_draws, 'draw')} per good subnetwork, scored pruned). *Bad* {BAD[controls.bad]}"
        f" ({counted(controls.bad_draws, 'draw')}). When more than half of the components survive, good and bad must"
        f" overlap.{matched}"
    )
