"""The closing sections: limitations, provenance, references."""

from collections.abc import Iterator, Sequence

from lottery.data.description import NOT_STATED
from lottery.report import numbers
from lottery.report.blocks import Block, Bullets, Entry, Folded, Paragraph, Table
from lottery.report.material import Material
from lottery.report.provenance import Spent, core_hours
from lottery.report.references import REFERENCES
from lottery.tasks import get_task
from lottery.tickets.methods import STRUCTURED
from lottery.tickets.parameters import PruneParameters
from lottery.wording import counted, listed, number, percent


def limitations(material: Material) -> Iterator[Bullets]:
    """The limitations as a list."""
    yield Bullets([*_sizes(material), *_data(material)])


def _sizes(material: Material) -> Iterator[str]:
    """Limits of the number of seeds and of the encoder."""
    seeds, (layers, heads) = len(material.seeds), material.shape
    if seeds < 2:
        yield "One seed: there is no spread over seeds, and no interval over seeds."
    elif seeds < 5:
        yield (
            f"{seeds} seeds (the paper: 5): small differences remain undecided; the smallest detectable ones are"
            " stated."
        )
    if (layers, heads) != (12, 12):
        yield (
            f"The encoder has {layers} x {heads} heads, BERT-base 12 x 12: one MLP is {percent(1 / layers, 0)} of all"
            f" MLPs, and the steps of {STRUCTURED.title} are that coarse."
        )


def _data(material: Material) -> Iterator[str]:
    """Limits of the number of examples and of their lengths."""
    splits = [meta["splits"] for meta in material.meta.values()]
    train = max((split["train"]["examples"] for split in splits), default=0)
    if 0 < train < 2000:
        yield (
            f"At most {number(train, 0)} training examples per task: full models stay well below published scores, and"
            " retrained tickets that lose look like those that have not learned yet."
        )
    select = max((split.get("select", {}).get("examples", 0) for split in splits), default=0)
    if material.parameters[PruneParameters].data == "select" and select:
        yield (
            f"Searches use at most {number(select, 0)} held-out examples: the standard error of an accuracy of one half"
            f" is {number(0.5 / select**0.5)} there, so where a search stops is partly chance."
        )
    parts = [part for split in splits for part in split.values()]
    if cut := sum(part.get("cut", 0) for part in parts):
        yield (
            f"{number(cut, 0)} of {counted(sum(part['examples'] for part in parts), 'example')} had more tokens than"
            " `data.max_length` and were truncated."
        )
    languages = sorted({*material.languages.values()} - {NOT_STATED})
    kinds = {
        "regression" if get_task(name).regression else "classification" for name in material.titles
    }
    yield (
        f"Text in {listed(languages) if languages else 'a language that is not stated'}, {listed(sorted(kinds))}, one"
        " encoder: nothing here is about other languages, decoders or sizes."
    )


def provenance(material: Material) -> Iterator[Block]:
    """Code, pipeline state, machine and versions, and the time of each stage; works that it builds on."""
    yield Folded("Revision, machine, versions and times", list(_provenance(material)))
    yield Folded("References", [Bullets(REFERENCES)])


def _provenance(material: Material) -> Iterator[Block]:
    origin = material.provenance
    changes = " with uncommitted changes" if origin.changed else ""
    body = [
        [
            "git revision",
            f"`{origin.revision}`{changes}" if origin.revision else "not a git repository",
        ],
        ["claims.py", f"`{origin.claims}`" if origin.claims else "unknown"],
        ["dvc.lock", f"`{origin.lock}`" if origin.lock else "missing"],
        ["machine (of this report)", origin.machine],
        *([name, version] for name, version in origin.versions.items()),
    ]
    yield Table(
        "Origin of this report. The digest of `claims.py` is its SHA-256, that of `dvc.lock` the SHA-256"
        " of its stages other than `report`, as JSON with sorted keys.",
        ["what", "value"],
        body,
    )
    yield _times(origin.spent)


def _times(spent: Sequence[Spent]) -> Block:
    if not spent:
        return Paragraph(
            "Times: none recorded; every stage was restored from the cache, or its log is gone."
        )
    total = Spent(
        stage="all",
        instances=sum(stage.instances for stage in spent),
        seconds=sum(stage.seconds for stage in spent),
        longest=max(stage.longest for stage in spent),
        core_seconds=None if (hours := core_hours(spent)) is None else 3600 * hours,
    )
    return Table(
        "Wall time of each stage: the last recorded run of each instance, including imports, excluding DVC;"
        " core-seconds: wall time times usable cores. Stages that are missing were restored from the cache, but for"
        " `report`, which writes this table. Source: `logs/stages.jsonl`.",
        ["stage", "runs", "total, s", "longest, s", "core-seconds"],
        [_time(stage) for stage in [*spent, total]],
    )


def _time(spent: Spent) -> list[Entry]:
    return [
        spent.stage,
        numbers.number(spent.instances, 0),
        numbers.number(spent.seconds, 1),
        numbers.number(spent.longest, 1),
        numbers.number(spent.core_seconds, 0),
    ]
