"""What a reader must know before any number: what was run and how, and what it cannot show."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from lottery.analysis.frames import rows
from lottery.report.markdown import folded, table
from lottery.vocabulary import METRICS
from lottery.wording import NONE, counted, flat, number, percent, setting

Tree = Mapping[str, Any]


def data(overview: pd.DataFrame, meta: Mapping[str, Tree], seeds: int) -> str:
    """The tasks, their sizes and what a blind guess and the full model reach."""
    header = [
        "task",
        "metric",
        "train",
        "select",
        "dev",
        "tokens",
        "majority, select",
        "majority, dev",
    ]
    header += ["full model"]
    body = [
        [
            known.title + (" †" if known.degenerate else ""),
            METRICS[known.metric],
            *(_size(meta[known.task], split) for split in ("train", "select", "dev")),
            number(meta[known.task]["splits"]["dev"].get("tokens_mean"), 1),
            _majority(meta[known.task]["splits"].get("select", {})),
            number(known.majority),
            number(known.full),
        ]
        for known in rows(overview)
    ]
    caption = (
        "The data: examples of each split, tokens of a dev example (mean), what the majority class reaches on"
        f" select and on dev, and the full model on dev (means over {counted(seeds, 'seed')}). Sources:"
        " `tables/tasks.csv`, `data/meta/<task>.json`."
    )
    notes = [f"† {known.title}: {known.reason}." for known in rows(overview) if known.degenerate]
    kept_out = DEGENERATE if notes else ""
    return "\n\n".join(part for part in (table(caption, header, body, 2), *notes, kept_out) if part)


DEGENERATE = (
    "A task is degenerate (†) where with some seed the full model does not clearly beat the majority class, or a search"
    " keeps nothing. It is left out of averages over tasks; a mean of all stands beside for comparison alone. Verdicts"
    " use every cell whose full model clearly beats the majority class."
)


def _majority(split: Tree) -> str:
    """The accuracy of the most frequent class."""
    classes = split.get("classes", {}).values()
    return number(max(classes) / sum(classes)) if classes else NONE


def _size(known: Tree, split: str) -> str:
    count = known["splits"].get(split, {}).get("examples")
    return number(count, 0) if count else NONE


def origins(overview: pd.DataFrame, meta: Mapping[str, Tree]) -> str:
    """What the assets say of themselves, the encoder first."""
    lines = []
    encoder = next(iter(meta.values()))["encoder"] if meta else None
    for title, known in [
        ("Encoder", encoder),
        *((row.title, meta[row.task]["data"]) for row in rows(overview)),
    ]:
        if known:
            lines.append(
                f"- **{title}** ({known['name']}{_licences(known)}). {' '.join(known['notes'])}".rstrip()
            )
    return "\n".join(lines)


def _licences(known: Tree) -> str:
    found = dict.fromkeys(
        archive["licence"] for part in known["parts"] for archive in part if "licence" in archive
    )
    return f"; licence: {', '.join(found)}" if found else ""


def parameters(tree: Tree) -> str:
    """Every parameter of the run, folded away."""
    body = [[f"`{key}`", value] for key, value in flat(tree)]
    text = table("All parameters. Source: `params.yaml`.", ["parameter", "value"], body, 2)
    return folded("All parameters", text)


def methods(tree: Tree, shape: tuple[int, int]) -> list[str]:
    """A paragraph for each step of the experiment, worded by its parameters."""
    return [
        _finetuning(tree["finetune"], shape) + PRECISION[tree["compute"]["precision"]],
        _rule(tree["prune"]),
        _structured(tree),
        _magnitude(tree),
        _controls(tree["controls"]),
        MEASUREMENTS,
        STATISTICS,
    ]


PRECISION = {
    "float32": "",
    "bfloat16": " Matrix products are in bfloat16, all else in float32.",
    "auto": " Matrix products are in bfloat16 where the machine is made for it (see the provenance), all else in"
    " float32, so that another kind of machine finds other digits.",
}


def _finetuning(tuning: Tree, shape: tuple[int, int]) -> str:
    layers, heads = shape
    return (
        f"**Fine-tuning.** The encoder has {counted(layers, 'layer')}, each of {counted(heads, 'head')} and one MLP."
        f" With each seed it is fine-tuned for {counted(tuning['epochs'], 'epoch')} in batches of {tuning['batch']}:"
        f" AdamW without weight decay, a learning rate of {tuning['learning_rate']:g} that"
        f" {_warmup(tuning['warmup'])}falls linearly to 0, gradient norms clipped at {tuning['clip']:g}. The seed"
        " sets the classifier's first values, the order of the examples and dropout."
    )


def _rule(prune: Tree) -> str:
    return (
        f"**The rule.** A search keeps cutting while the score stays at {setting(prune['threshold'])} of the"
        f" full model's{_floor(prune['floor'])}, and returns the last subnetwork that did. {DATA[prune['data']]}"
    )


def _structured(tree: Tree) -> str:
    prune = tree["prune"]
    return (
        "**s-pruning** removes whole heads and MLPs. Their importance is the expected size of the loss gradient at"
        f" a gate on each of them ({REDUCTION[tree['importance']['reduction']]}; Michel et al. 2019), that of heads"
        " divided by the L2 norm of their layer. Each step cuts the least important"
        f" {setting(prune['rate'])} of all heads together with the least important MLP; when that fails, heads"
        " alone in half steps, then MLPs alone. Importance is measured anew at each step"
        f"{ENTRY[prune['entry']]}."
    )


def _magnitude(tree: Tree) -> str:
    rate = tree["magnitude"]["rate"] or tree["prune"]["rate"]
    return (
        f"**m-pruning** removes single weights: at each step the {setting(rate)} of the remaining ones that are"
        " smallest in magnitude, over all matrices of attention and MLPs"
        f"{' and their biases' if tree['magnitude']['biases'] else ''} at once. Embeddings, layer norms, pooler and"
        " classifier stay. Nothing is trained between steps."
    )


def _controls(controls: Tree) -> str:
    return (
        "**Contrasts.** *Good* is what a search returned. *Random* has the same size and is drawn uniformly"
        f" ({SIZE[controls['random']]}; {counted(controls['draws'], 'draw')} per good subnetwork). *Bad*"
        f" {BAD[controls['bad']]}. When more than half of the components survive, good and bad must overlap."
    )


MEASUREMENTS = (
    "**Two measurements.** *Pruned*: the fine-tuned model with everything else cut out. *Retrained*: pre-trained"
    " weights and a fresh classifier, fine-tuned with the recipe above under the fixed mask."
)
STATISTICS = (
    "**Statistics.** Random draws are averaged within their seed, since a draw is no replication. Means, standard"
    " deviations (ddof 1) and 95 % intervals (Student's t) are over seeds. Averages over tasks are taken within a"
    " seed first. Intervals therefore speak of seeds, not of other data, and those of few seeds may pass"
    " what is possible. Verdicts are over cells, each a task with a seed; cells of one task share its data. Agreement"
    " is Cohen's kappa there, with a jackknife pseudo-value for each cell, and counts as alike from 0.6."
)


def _warmup(share: float) -> str:
    return f"rises over the first {setting(share)} of the steps and " if share else ""


def _floor(floor: float | None) -> str:
    return "" if floor is None else f" and at {number(floor)} or more"


DATA = {
    "select": "It is driven by examples held out of the training data; dev is only reported on.",
    "dev": "It is driven by the dev examples that this report is about, as in the paper, so that scores of good"
    " subnetworks are optimistic.",
}
REDUCTION = {
    "example": "one absolute value per example",
    "batch": "one absolute value per batch mean",
    "cumulative": "one absolute value per running sum of batch means, as in the authors' code",
}
ENTRY = {
    "fresh": "",
    "stale": "; later phases start from the importance of the rejected candidate, as in the authors' code",
}
SIZE = {
    "exact": "exact size",
    "bernoulli": "each component with the share of survivors as its chance",
}
BAD = {
    "unsurvived": "has the same size and takes first what did not survive",
    "smallest": "has the same size and, of weights, takes the smallest; of heads and MLPs first what did not survive",
}


def limitations(
    tree: Tree, meta: Mapping[str, Tree], seeds: Sequence[int], shape: tuple[int, int]
) -> list[str]:
    """What these numbers cannot show, from what was run."""
    layers, heads = shape
    examples = [known["splits"]["train"]["examples"] for known in meta.values()]
    found = []
    if len(seeds) < 2:
        found.append("One seed: there is no spread over seeds, and no interval anywhere.")
    elif len(seeds) < 5:
        found.append(
            f"{len(seeds)} seeds, where the paper has 5: t intervals are wide"
            f" ({counted(len(seeds) - 1, 'degree')} of freedom), and small differences stay undecided."
        )
    if (layers, heads) != (12, 12):
        found.append(
            f"An encoder of {layers} x {heads} heads is not BERT-base (12 x 12): one MLP is {percent(1 / layers, 0)}"
            " of all MLPs, and each step of s-pruning is that coarse."
        )
    if examples and max(examples) < 2000:
        found.append(
            f"At most {number(max(examples), 0)} training examples a task: full models stay well below published"
            " scores, and retraining has little to learn from."
        )
    select = [known["splits"].get("select", {}).get("examples", 0) for known in meta.values()]
    if tree["prune"]["data"] == "select" and max(select, default=0):
        error = 0.5 / max(select) ** 0.5
        found.append(
            f"Searches are driven by {number(max(select), 0)} held-out examples at most: the standard error of an"
            f" accuracy of one half is {number(error)} there, so where a search stops is partly chance."
        )
    parts = [part for known in meta.values() for part in known["splits"].values()]
    if cut := sum(part.get("cut", 0) for part in parts):
        found.append(
            f"{number(cut, 0)} of {counted(sum(part['examples'] for part in parts), 'example')} had more tokens than"
            " `data.max_length` and lost the rest."
        )
    found.append("Intervals cover seeds only: other samples of the data would add to them.")
    return found
