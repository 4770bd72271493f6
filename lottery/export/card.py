"""Model card of an exported folder: README.md, with metadata for model hubs."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from lottery.data.description import NOT_STATED
from lottery.export.export import Written
from lottery.export.form import MASK, TRANSFORMERS, Form
from lottery.export.score import DevScore
from lottery.export.size import sparsity
from lottery.export.snippets import snippet
from lottery.export.trained import Spelling, TrainedModel
from lottery.report import markdown, numbers
from lottery.report.blocks import Block, Bullets, Code, Document, Paragraph, Section, Table
from lottery.report.origins import ENGLISH, described, language
from lottery.tickets.methods import METHODS, method_title
from lottery.vocabulary import METRICS, UNITS
from lottery.wording import between, counted, listed, number, percent

METADATA = """\
---
{language}license: other
library_name: transformers
pipeline_tag: text-classification
tags: [{model_type}, pruning, lottery-ticket]
---

"""
TAG = ", pruning, lottery-ticket]\n"
"""In the metadata of every card."""
CODES = {ENGLISH: "en"}
"""Codes of languages, where a hub wants them; own data state theirs as they like."""
MEGABYTE = 1e6


def render(
    model: TrainedModel, written: Sequence[Written], full: DevScore, times: Table | None
) -> str:
    """The card of a model in the forms that were written, with the full model's score and what `measured` has."""
    sections = {
        "Use": _use(model, written),
        "Score, size and speed": [*_sizes(model, written), *([times] if times else [])],
        "Task and data": _data(model),
        "Limits": _limits(model, [entry.form for entry in written]),
    }
    card = Document(
        title=f"{model.task.title}: {_name(model)}",
        lead=[Paragraph(_summary(model, written, full))],
        sections=[Section(title, list(blocks)) for title, blocks in sections.items()],
    )
    metadata = METADATA.format(
        language=_language(model), model_type=model.encoder.config.model_type
    )
    return metadata + markdown.render(card)


def describes(folder: Path) -> bool:
    """True if a folder has a card that `render` wrote."""
    file = folder / "README.md"
    return file.is_file() and TAG in file.read_text(encoding="utf-8", errors="replace")


def _language(model: TrainedModel) -> str:
    """The line of the metadata that names the language of the task's data; none if it is not stated."""
    stated = language(model.about["data"])
    name = CODES.get(stated, json.dumps(stated, ensure_ascii=False))
    return "" if stated == NOT_STATED else f"language: {name}\n"


def _name(model: TrainedModel) -> str:
    if model.is_whole:
        return f"the full model of seed {model.seed}"
    return f"the winning ticket of {method_title(model.key.method)}, seed {model.seed}"


def _summary(model: TrainedModel, written: Sequence[Written], full: DevScore) -> str:
    metric, examples = METRICS[model.task.metrics[0]], counted(len(model.dev), "example")
    score = f"Its {metric} on {examples} of dev is {between(written[0].score)}"
    base = (model.about["encoder"] or {"name": f"A {model.encoder.config.family.classes}"})["name"]
    if model.is_whole:
        return f"{base}, fine-tuned on {model.task.title}. {score} (95 % interval over examples)."
    units = METHODS[model.key.method].by_unit(model.subnetwork)
    kept = listed(f"{part.size:,} of {part.total:,} {UNITS[unit]}" for unit, part in units.items())
    return (
        f"A subnetwork of {base}: {kept} are left, and {percent(sparsity(model))} of the prunable weights"
        f" are removed. The pre-trained weights that are left were fine-tuned on {model.task.title} under"
        f" this fixed mask. {score}; that of the full model is {between(full)} (95 % intervals over"
        " examples)."
    )


def _use(model: TrainedModel, written: Sequence[Written]) -> Iterator[Block]:
    outputs = model.task.labels or ("the score",)
    yield Paragraph(f"Run these in this folder. The outputs are, in this order: {listed(outputs)}.")
    for entry in written:
        yield Paragraph(f"`{entry.form.file}`, {entry.form.title}:")
        yield Code("python", snippet(model, entry.form))


def _sizes(model: TrainedModel, written: Sequence[Written]) -> Iterator[Block]:
    rows = [
        [
            f"`{entry.form.file}`",
            entry.form.title,
            numbers.number(entry.size / MEGABYTE, 1),
            between(entry.score),
        ]
        for entry in written
    ]
    metric = METRICS[model.task.metrics[0]]
    caption = f"Size of each file, and {metric} on dev as its program computes it."
    yield Table(caption, ["file", "what it is", "MB", metric], rows)
    parameters = sum(weight.numel() for weight in model.encoder.parameters())
    yield Paragraph(
        f"The encoder has {number(parameters / 1e6, 1)} million parameters, of which"
        f" {number(model.encoder.embeddings.words.weight.numel() / 1e6, 1)} million are word embeddings."
    )


def _data(model: TrainedModel) -> Iterator[Block]:
    train = model.about["splits"]["train"]["examples"]
    task = "regression" if model.task.regression else f"{model.task.classes} classes"
    yield Paragraph(f"{model.task.title}, {task}; {counted(train, 'training example')}.")
    origins = {"Encoder": model.about["encoder"], "Data": model.about["data"]}
    stated = [described(title, origin) for title, origin in origins.items() if origin]
    yield Bullets(stated or ["Encoder and data were fetched under their own terms."])


def _limits(model: TrainedModel, forms: Sequence[Form]) -> Iterator[Block]:
    train = model.about["splits"]["train"]["examples"]
    longest = json.loads(model.tokenizer["tokenizer_config.json"])["model_max_length"]
    limits = [
        f"It was made to study pruning, from {counted(train, 'training example')}, and was tested on texts like"
        " those that it was trained on.",
        f"It was trained and tested on texts of at most {longest} tokens; longer ones were truncated.",
        "The interval is one over examples: other seeds lead to other tickets with other scores.",
    ]
    if model.spelling is not None:
        limits.append(_spelled(model.spelling))
    if model.is_masked:
        on_disk = f" It is smaller on disk, as `{MASK.file}`." if MASK in forms else ""
        limits.append(
            "Single weights are pruned. No runtime that is maintained today skips them, so the model"
            f" is neither faster nor smaller in memory than the full one.{on_disk}"
        )
    elif not model.is_whole and TRANSFORMERS in forms:
        others = " The other files are smaller and faster." if len(forms) > 1 else ""
        limits.append(
            f"In `{TRANSFORMERS.file}` what was pruned is zeros: it is as large and as slow as the full model.{others}"
        )
    yield Bullets(limits)


def _spelled(words: Spelling) -> str:
    shares = listed(f"{percent(share)} on {split}" for split, share in words.lacking.items())
    return (
        f"Its vocabulary is that of the task's texts: {words.kept:,} pieces of {words.total:,}. Other words are"
        " spelled in shorter pieces, for which nothing was fine-tuned. The share of tokens that it lacks"
        f" is {shares} (dev: counted without the words of dev, which are kept)."
    )
