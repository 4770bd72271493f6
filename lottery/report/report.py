"""The report: tidy tables in, one Markdown text out. Nothing is measured here."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from lottery.analysis.frames import rows
from lottery.analysis.significance import ALPHA, smallest
from lottery.report import references
from lottery.report.markdown import folded, section, table
from lottery.report.provenance import Provenance
from lottery.report.sections import attention, methods, scores, survival
from lottery.tickets.methods import METHODS, method_title
from lottery.vocabulary import CONTROLLED
from lottery.wording import NONE, between, counted, listed, number, percent, probability, setting


@dataclass(frozen=True)
class Material:
    """What a report is made of: tables by name, what data are by task, parameters, paths of figures by name."""

    tables: Mapping[str, pd.DataFrame]
    meta: Mapping[str, Mapping[str, Any]]
    parameters: Mapping[str, Any]
    figures: Mapping[str, str]
    provenance: Provenance

    @property
    def tasks(self) -> pd.DataFrame:
        return self.tables["tasks"]

    @property
    def seeds(self) -> Sequence[int]:
        return list(self.parameters["grid"]["seeds"])

    @property
    def encoder(self) -> str:
        return str(self.parameters["encoder"]["checkpoint"])

    @property
    def shape(self) -> tuple[int, int]:
        """Layers and heads of the encoder."""
        components = self.tables["survival"]
        return int(components["layer"].max()) + 1, int(components["index"].max()) + 1


def render(found: Material) -> str:
    """The whole report as Markdown, figures by relative path."""
    titles = listed(known.title for known in rows(found.tasks))
    parts = [
        f"# Lottery tickets in {found.encoder}: {titles}",
        section("Abstract", abstract(found)),
        section("Verdicts", *verdicts(found.tables["verdicts"])),
        section("What was run", *_setting(found)),
        section("Methods", *methods.methods(found.parameters, found.shape)),
        section("Results", *scores.results(found.tables, found.figures)),
        section("Beside the paper", *scores.beside(found.tables)),
        section("How far pruning goes", *scores.decline(found.tables, found.figures)),
        section("Where the survivors are", *survival.survival(found.tables, found.figures)),
        section("Agreement between seeds", *survival.agreement(found.tables, found.seeds)),
        section("Overlap between tasks", *survival.overlap(found.tables, found.figures)),
        section("What survivors attend to", *attention.meaning(found.tables, found.figures)),
        section("Limitations", _bullets(_limits(found))),
        section("Provenance", *_provenance(found.provenance)),
        section("References", references.REFERENCES),
    ]
    return "\n\n".join(parts) + "\n"


def abstract(found: Material) -> str:
    """What was asked, what was run, what came out: every number from the tables."""
    mean = found.tables["averages"]
    mean = mean[mean["scope"] == "sound"]
    tasks, kept = found.tasks, found.parameters["prune"]["threshold"]
    text = [
        f"We fine-tune {found.encoder} on {counted(len(tasks), 'task')}"
        f" ({listed(tasks['title'])}) with {counted(len(found.seeds), 'seed')} and search each model for a small"
        f" subnetwork that keeps {setting(kept)} of its score: of heads and MLPs (s-pruning) and of single"
        " weights (m-pruning). We ask whether such good subnetworks differ from random and bad ones of the same"
        " size, as they are cut and after fine-tuning the pre-trained weights again under their masks."
    ]
    if mean.empty:
        return f"{text[0]} No task passed the checks of its full model, so there is nothing to average."
    full, blind = (next(rows(mean[mean["kind"] == kind])) for kind in ("full", "majority"))
    over = "Averaged over" if full.tasks > 1 else "On"
    out = tasks.loc[tasks["degenerate"], "title"]
    left = f" ({listed(out)} left out as degenerate, see below)" if len(out) else ""
    sound = listed(tasks.loc[~tasks["degenerate"], "title"])
    text.append(
        f"{over} {sound}{left}, the full model scores {between(full)} on dev and the majority"
        f" class {number(blind.mean)}, {percent(blind.share, 0)} of that."
    )
    text += [_outcome(mean, found.tables["survivors"], found.tasks, method) for method in METHODS]
    verdict = found.tables["verdicts"]["verdict"]
    said = listed(f"{count} are {name}" for name, count in verdict.value_counts().items())
    text.append(f"Of {counted(len(verdict), 'claim')} of the paper put to a test here, {said}.")
    return " ".join(text)


def _outcome(mean: pd.DataFrame, survivors: pd.DataFrame, tasks: pd.DataFrame, method: str) -> str:
    """One method's sentence: sparsity, and the share of the full score each contrast reaches."""
    sound = tasks.loc[~tasks["degenerate"], "task"]
    gone = survivors[
        (survivors["method"] == method)
        & (survivors["unit"] == "sparsity")
        & survivors["task"].isin(sound)
    ]["mean"].mean()
    shares = mean.set_index(["method", "kind", "state"])["share"].to_dict()
    share = {
        state: [percent(shares.get((method, kind, state)), 0) for kind in CONTROLLED]
        for state in ("pruned", "retrained")
    }
    return (
        f"{method_title(method)} removes {percent(gone, 0)} of the encoder's prunable weights; good, random and bad"
        f" subnetworks reach {listed(share['pruned'])} of the full score as cut, and"
        f" {listed(share['retrained'])} retrained."
    )


def verdicts(frame: pd.DataFrame) -> Iterator[str]:
    """The claims of the paper, each with its verdict and the evidence."""
    body = [
        [
            row.claim,
            f"**{row.verdict}**",
            between(row),
            number(row.n, 0),
            probability(row.p_holm),
            f"{number(row.published)} ({row.published_n})" if row.published_n else NONE,
            row.evidence,
        ]
        for row in rows(frame.rename(columns={"effect": "mean"}))
    ]
    header = [
        "claim",
        "verdict",
        "effect [95 % interval]",
        "n",
        "p (Holm)",
        "the paper's (n)",
        "evidence",
    ]
    yield table(
        "Verdicts on the paper's claims. An effect above 0 speaks for the claim: a difference of scores, of shares or"
        " of agreement beyond chance, as the column `test` of the source spells out; n counts cells (the paper's:"
        " tasks, or pairs of a task and a seed). Intervals are t intervals over cells. p is one-sided, by flipping"
        f" signs, corrected over all claims by Holm's method{_floor(frame)}. Source: `tables/verdicts.csv`.",
        header,
        body,
        2,
    )
    spelt = [[row.claim, row.sentence, f"`{row.test}`", str(row.section)] for row in rows(frame)]
    claims = table(
        "Each claim in full, and what is tested. Source: `tables/verdicts.csv`.",
        ["claim", "sentence", "test, in the mean over cells", "section of the paper"],
        spelt,
        4,
    )
    yield folded("The claims in full", claims)


def _floor(frame: pd.DataFrame) -> str:
    """What p can be at best, where that is near the bar."""
    tests = int(frame["p"].notna().sum())
    least = min(1.0, tests * smallest(int(frame["n"].max())))
    near = tests and least > ALPHA / 5
    return f", which cannot fall below {number(least)} with these cells" if near else ""


def _setting(found: Material) -> Iterator[str]:
    yield (
        f"{counted(len(found.tasks) * len(found.seeds), 'cell')}: {counted(len(found.tasks), 'task')} x"
        f" {counted(len(found.seeds), 'seed')} ({', '.join(map(str, found.seeds))}). Everything is reported on"
        " dev; training data are split into what trains and what is held out for the searches."
    )
    yield methods.data(found.tasks, found.meta, len(found.seeds))
    yield methods.origins(found.tasks, found.meta)
    yield methods.parameters(found.parameters)


def _limits(found: Material) -> list[str]:
    return methods.limitations(found.parameters, found.meta, found.seeds, found.shape)


def _bullets(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _provenance(known: Provenance) -> Iterator[str]:
    state = " with uncommitted changes" if known.changed else ""
    body = [
        [
            "git revision",
            f"`{known.revision}`{state}" if known.revision else "not a git repository",
        ],
        ["dvc.lock", f"`{known.lock}`" if known.lock else "not there"],
        ["machine (of this report)", known.machine],
        *([name, version] for name, version in known.versions.items()),
    ]
    caption = (
        "Where this report comes from. The digest of `dvc.lock` is the SHA-256 of its stages other than `report`,"
        " as JSON with sorted keys."
    )
    yield table(caption, ["what", "value"], body, 2)
    if not known.spent:
        yield "Times: none recorded; every stage was restored from the cache, or its log is gone."
        return
    spent = [
        [each.stage, str(each.instances), number(each.seconds, 1), number(each.longest, 1)]
        for each in known.spent
    ]
    total = [
        "all",
        str(sum(each.instances for each in known.spent)),
        number(sum(each.seconds for each in known.spent), 1),
        number(max(each.longest for each in known.spent), 1),
    ]
    caption = (
        "Time of each stage: the last recorded run of each instance, imports included, DVC not. What is missing was"
        " restored from the cache. Source: `logs/stages.jsonl`."
    )
    yield table(caption, ["stage", "runs", "wall time, s", "the longest, s"], [*spent, total])
