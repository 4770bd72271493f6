"""The sections on scores: how good subnetworks are, against their contrasts and on the way down."""

from collections.abc import Iterator, Mapping

import pandas as pd

from lottery.analysis.frames import rows
from lottery.report.markdown import figure, spread, table
from lottery.tickets.methods import METHODS, method_title
from lottery.vocabulary import CONTROLLED, KINDS, METRICS, STATES
from lottery.wording import NONE, listed, number, percent, seeds

Tables = Mapping[str, pd.DataFrame]
Paths = Mapping[str, str]
SUPERS = ("super", "super-random", "super-bad")
ORDER = (
    ("full", "majority", "finetuned"),
    ("full", "full", "finetuned"),
    *(
        (method, kind, state)
        for method in METHODS
        for state in ("pruned", "retrained")
        for kind in CONTROLLED
    ),
)
DRAWS = "Random draws are averaged within a seed first."


def results(tables: Tables, figures: Paths) -> Iterator[str]:
    """Table 1 and everything that hangs on it."""
    names = dict(zip(tables["tasks"]["task"], tables["tasks"]["title"], strict=True))
    reported = tables["results"][tables["results"]["reported"]]
    plain = reported[~reported["kind"].isin(SUPERS)]
    yield _scores(plain, tables["averages"], tables["tasks"])
    yield _undefined(plain, names)
    yield figure(
        figures["contrasts"],
        f"Dot plot with a panel for each of {listed(names.values())} and for the mean of those that count: scores"
        " of good, random and bad subnetworks of both prunings, pruned and retrained; see Table 1.",
        "Figure 1. Good, random and bad subnetworks, pruned (open circles) and retrained (filled diamonds): mean and"
        " 95 % interval over seeds, against the full model (line) and the majority class (dots). Source:"
        " `tables/results.csv`, `tables/averages.csv`.",
    )
    supers = reported[reported["kind"].isin(SUPERS)]
    if len(supers):
        yield _supers(supers, tables["averages"], tables["tasks"])
    else:
        yield "Subnetworks made of super-survivors alone were not scored in this run."
    yield _others(tables["results"], names)


def beside(tables: Tables) -> Iterator[str]:
    """The paper's averages and ours, absolute and as shares of their full models."""
    key = ["method", "kind", "state"]
    ours = tables["averages"][tables["averages"]["scope"] == "sound"].set_index(key)
    share, paper = ours["share"].to_dict(), tables["published"].set_index(key)["mean"].to_dict()
    full = float(paper["full", "full", "finetuned"])
    body = [
        [
            method_title(owner[0]) or NONE,
            STATES[owner[2]],
            KINDS[owner[1]],
            number(paper[owner]),
            percent(paper[owner] / full),
            _at(ours, owner),
            percent(share.get(owner)),
        ]
        for owner in ORDER
        if owner in paper
    ]
    count = int(tables["published"]["tasks"].iloc[0])
    here = _mean_of(ours) if len(ours) else "no mean"
    header = ["pruning", "state", "subnetwork", "paper", "paper, of full", "here", "here, of full"]
    yield table(
        f"The paper's scores beside these: means of {count} tasks there (BERT-base, five seeds; subnetworks chosen on"
        f" the very dev sets), {here} here. Where tasks and model differ, compare the shares of the full model's"
        " score, and these with the majority class's. Source: `tables/published.csv`, `tables/averages.csv`.",
        header,
        body,
        3,
    )


def decline(tables: Tables, figures: Paths) -> Iterator[str]:
    """The curves, and what the searches fitted to their data."""
    names = dict(zip(tables["tasks"]["task"], tables["tasks"]["title"], strict=True))
    yield figure(
        figures["curves"],
        f"Line plots, a panel for each of {listed(names.values())}: score on the data that drive the searches"
        " against the share of encoder weights removed, for s-pruning and m-pruning.",
        "Figure 2. The way down: score on the selection data against sparsity. Thin lines are seeds, thick ones their"
        " mean, filled markers the chosen subnetworks. Below the score to keep, a search's first phase goes on for"
        " the picture only. Source: `tables/curves.csv`.",
    )
    yield _gone(tables["survivors"], names)
    yield from _selection(tables["selection"], names)


def _gone(frame: pd.DataFrame, names: Mapping[str, str]) -> str:
    """Table 2: what is left where the searches stopped."""
    keyed = frame.set_index(["task", "method", "unit"])
    header, body = ["task"], [[title] for title in names.values()]
    for (method, unit), (label, digits, scale) in LEFT.items():
        own = frame[(frame["method"] == method) & (frame["unit"] == unit)]
        whole = number(scale * float(own["total"].iloc[0]), digits if scale < 1 else 0)
        header.append(label if unit == "sparsity" else f"{label}, of {whole}")
        for line, task in zip(body, names, strict=True):
            line.append(spread(next(rows(keyed.loc[[(task, method, unit)]])), digits, scale))
    caption = (
        "Table 2. What survives in the good subnetworks: mean ± standard deviation over seeds and [95 % interval];"
        f" {seeds(frame['n'])} seeds. Weights removed are counted among all weights of heads and MLPs, for both"
        " prunings alike. Source: `tables/survivors.csv`."
    )
    return table(caption, header, body)


LEFT: Mapping[tuple[str, str], tuple[str, int, float]] = {
    ("structured", "heads"): ("heads", 1, 1.0),
    ("structured", "mlps"): ("MLPs", 1, 1.0),
    ("structured", "sparsity"): ("s-pruning: weights removed, %", 1, 100.0),
    ("magnitude", "weights"): ("weights, millions", 2, 1e-6),
    ("magnitude", "sparsity"): ("m-pruning: weights removed, %", 1, 100.0),
}


def _scores(reported: pd.DataFrame, averages: pd.DataFrame, tasks: pd.DataFrame) -> str:
    key = ["method", "kind", "state"]
    by_task = {name: own.set_index(key) for name, own in reported.groupby("task")}
    means = {scope: own.set_index(key) for scope, own in averages.groupby("scope", sort=False)}
    columns = [by_task[known.task] for known in rows(tasks)] + list(means.values())
    body = [
        [
            method_title(method) or NONE,
            STATES[state],
            KINDS[kind],
            *(_at(own, (method, kind, state)) for own in columns),
        ]
        for method, kind, state in ORDER
    ]
    header = [
        "pruning",
        "state",
        "subnetwork",
        *_heads(tasks),
        *(_mean_of(own) for own in means.values()),
    ]
    shown = pd.concat([reported["n"], averages["n"]])
    caption = (
        f"Table 1. Scores on dev: mean ± standard deviation over seeds, and [95 % interval of the mean];"
        f" {seeds(shown)} seeds. {DRAWS} Source: `tables/results.csv`, `tables/averages.csv`."
    )
    return table(caption, header, body, 3)


def _heads(tasks: pd.DataFrame) -> list[str]:
    return [
        f"{known.title}{' †' if known.degenerate else ''}, {METRICS[known.metric]}"
        for known in rows(tasks)
    ]


def _mean_of(own: pd.DataFrame) -> str:
    count = int(own["tasks"].iloc[0])
    return f"mean of {count} {'task' if count == 1 else 'tasks'}"


def _at(own: pd.DataFrame, key: tuple[str, ...]) -> str:
    if "majority" in key and key in own.index:
        return number(float(own["mean"].loc[[key]].iloc[0]))  # a constant has no spread
    return spread(next(rows(own.loc[[key]]))) if key in own.index else NONE


def _undefined(reported: pd.DataFrame, names: Mapping[str, str]) -> str:
    lost = reported[reported["undefined"] > 0]
    if lost.empty:
        return ""
    said = listed(
        f"{names[row.task]}, {method_title(row.method)} {row.kind} {row.state} ({row.undefined})"
        for row in rows(lost)
    )
    return (
        "Scores that are not defined, such as the correlation of constant predictions, are left out of these means"
        f" and of n: {said}."
    )


def _supers(supers: pd.DataFrame, averages: pd.DataFrame, tasks: pd.DataFrame) -> str:
    key = ["kind", "state"]
    columns = [supers[supers["task"] == known.task].set_index(key) for known in rows(tasks)]
    sound = averages[(averages["scope"] == "sound") & averages["kind"].isin(SUPERS)].set_index(key)
    body = [
        [STATES[state], KINDS[kind], *(_at(own, (kind, state)) for own in [*columns, sound])]
        for state in ("pruned", "retrained")
        for kind in SUPERS
    ]
    caption = (
        "Super-survivors of s-pruning, kept by every seed of a task, against as many that only some seeds keep"
        " (super-random) or none does (super-bad), filled up from the others where those are too few: mean ± standard"
        f" deviation and [95 % interval] on dev; {seeds(supers['n'])} seeds. Source: `tables/results.csv`."
    )
    mean = [_mean_of(sound)] if len(sound) else ["mean"]
    return table(caption, ["state", "subnetwork", *_heads(tasks), *mean], body, 2)


def _others(results: pd.DataFrame, names: Mapping[str, str]) -> str:
    """Further metrics and splits, where tasks have them: the full model and the good subnetworks."""
    other = results[~results["reported"] & (results["split"] != "select")]
    other = other[other["kind"].isin(["full", "good"])]
    if other.empty:
        return ""
    pairs = list(dict.fromkeys((row.task, row.split, row.metric) for row in rows(other)))
    keyed = other.set_index(["task", "split", "metric", "method", "state"])
    kinds = [("full", "finetuned")] + [(m, s) for m in METHODS for s in ("pruned", "retrained")]
    body = [
        [names[task], split, METRICS[metric]]
        + [_at(keyed, (task, split, metric, *owner)) for owner in kinds]
        for task, split, metric in pairs
    ]
    header = ["task", "split", "metric", "full model"]
    header += [f"good, {method_title(method)}, {state}" for method, state in kinds[1:]]
    caption = (
        f"Further metrics and splits: mean ± standard deviation and [95 % interval]; {seeds(other['n'])} seeds."
        " Source: `tables/results.csv`."
    )
    return table(caption, header, body, 3)


def _selection(selection: pd.DataFrame, names: Mapping[str, str]) -> Iterator[str]:
    if selection.empty:
        yield "Nothing was scored on selection data, so the gap between selection and dev is not known."
        return
    keyed = selection.set_index(["task", "method", "quantity"])
    body = [
        [names[task], method_title(method)]
        + [
            spread(next(rows(keyed.loc[[(task, method, q)]])), 1, 100)
            for q in ("select", "dev", "gap")
        ]
        for task in names
        for method in METHODS
        if (task, method, "gap") in keyed.index
    ]
    caption = (
        "Table 3. Share of the full model's score that good subnetworks keep as cut, in %, on the held-out selection"
        " data and on dev; the gap is what a search fitted to its data, and chance. Mean ± standard deviation and [95 %"
        f" interval]; {seeds(selection['n'])} seeds. Source: `tables/selection.csv`."
    )
    yield table(caption, ["task", "pruning", "selection", "dev", "gap"], body, 2)
