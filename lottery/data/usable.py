"""Usable rows of own data, and those left out, each with its reason and place."""

import csv
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lottery.data.description import TaskDescription, value_name
from lottery.data.rows import Row
from lottery.data.tables import Table, Values
from lottery.wording import counted, listed

PLACES = 5
"""Places that a sentence names; the file of all rows left out has the rest."""


class Place(NamedTuple):
    """A row of a table: `line 7 of train.tsv`."""

    table: str
    unit: str
    number: int


class LeftOut(NamedTuple):
    """A row that is not used: where it is, why, and what was found there."""

    place: Place
    reason: str
    value: str

    def __str__(self) -> str:
        value = f": {self.value}" if self.value else ""
        return f"{self.place.table}: {self.place.unit} {self.place.number}: {self.reason}{value}"


Placed = tuple[Place, Row]
Judged = tuple[list[Placed], list[LeftOut]]
"""The rows that are used, and those left out."""


def usable(description: TaskDescription, table: Table) -> Judged:
    """The rows of a table that have all texts, and a label of the task."""
    classes = {name: float(at) for at, name in enumerate(description.labels)}
    kept, left_out = list[Placed](), list[LeftOut]()
    for number, values in table.rows:
        place = Place(table.name, table.unit, number)
        texts = _texts(description, values)
        value = values[description.label]
        label = _label(value, classes)
        if any(text is None for text in texts):
            left_out.append(LeftOut(place, "no text", ""))
        elif value is None or not str(value).strip():
            left_out.append(LeftOut(place, "no label", ""))
        elif label is None:
            left_out.append(LeftOut(place, "an unknown label", repr(value)[:80]))
        else:
            first, second = texts[0] or "", texts[1] if len(texts) > 1 else None
            group = value_name(values[description.group]) if description.group else ""
            kept.append((place, Row(first, second, label, group)))
    return kept, left_out


def _texts(description: TaskDescription, values: Values) -> list[str | None]:
    """The texts of a row without spaces around them; None where there is none."""
    columns = [description.sentence, *([description.pair] if description.pair else [])]
    cells = [values[column] for column in columns]
    return [text.strip() or None if isinstance(text, str) else None for text in cells]


def _label(value: Any, classes: Mapping[str, float]) -> float | None:
    """The class of a value or, if there are no classes, its number; None if it is neither."""
    if classes:
        return classes.get(value_name(value))
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def without_repeats(rows: Sequence[Placed]) -> Judged:
    """The first row of every text, or pair of texts."""
    first, left_out = dict[tuple[str, str | None], Placed](), list[LeftOut]()
    for place, row in rows:
        seen, _ = first.setdefault(row[:2], (place, row))
        if seen != place:
            left_out.append(
                LeftOut(place, "a text that is there before", f"in {seen.unit} {seen.number}")
            )
    return list(first.values()), left_out


def without_shared(rows: Sequence[Placed], dev: Mapping[str, Sequence[Placed]]) -> Judged:
    """The rows of train whose texts, and whose group, no dev split has."""
    texts = {row[:2]: place for split in dev.values() for place, row in split}
    groups = {row.group: place for split in dev.values() for place, row in split if row.group}
    kept, left_out = list[Placed](), list[LeftOut]()
    for place, row in rows:
        text, group = texts.get(row[:2]), groups.get(row.group)
        shared = text or group
        if shared is None:
            kept.append((place, row))
        else:
            what = "a text" if text else "a group"
            where = f"{shared.table}, {shared.unit} {shared.number}"
            left_out.append(LeftOut(place, f"{what} that is in dev too", where))
    return kept, left_out


def sentences(left_out: Iterable[LeftOut]) -> Iterator[str]:
    """For each reason and table the number of rows, and where they are."""
    places = defaultdict[tuple[str, str], list[Place]](list)
    for row in left_out:
        places[row.reason, row.place.table].append(row.place)
    for (reason, table), rows in places.items():
        numbers = [str(place.number) for place in rows[:PLACES]]
        if len(rows) > PLACES:
            numbers.append(f"{len(rows) - PLACES} more")
        unit = rows[0].unit + ("s" if len(rows) > 1 else "")
        yield f"{counted(len(rows), 'row')} with {reason} ({table}, {unit} {listed(numbers)})"


def write(left_out: Iterable[LeftOut], path: Path) -> None:
    """Write all rows left out as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        lines.writerow([*Place._fields, "reason", "value"])
        lines.writerows([*row.place, row.reason, row.value] for row in left_out)
