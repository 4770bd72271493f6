"""Write messages.tsv: made-up messages to an office, each a request or a report; the example of own data.

    python profiles/own/messages.py profiles/own/messages.tsv

The messages come from the patterns below, so a task made of them is easy. They show how own data are described, and
stand for nothing else. Column `thing` is the group: no thing is in two splits. Licence: Apache-2.0, as the project.
"""

import csv
import random
import sys
from pathlib import Path

THINGS = (
    "invoice", "printer", "key", "contract", "laptop", "badge", "parcel", "projector", "form", "receipt",
    "meeting room", "parking permit", "headset", "timetable", "first-aid kit", "ladder", "window", "lamp", "door",
    "coffee machine", "chair", "calendar", "password", "lift", "heating", "telephone",
)  # fmt: skip
REQUESTS = (
    "Could you look at the {} again?",
    "Please tell me who is in charge of the {}.",
    "Would somebody take care of the {} before Friday?",
    "I would like to know more about the {}.",
    "Is there any news of the {}?",
    "May I ask you to check the {}?",
    "Where do I find the {}?",
    "We still need the {}, can you help?",
    "Kindly send somebody for the {}.",
    "Let me know when the {} is ready.",
    "It would be good to have the {} by noon.",
    "Who can help me with the {}?",
    "Do not forget the {}, please.",
    "Can the {} wait until next week?",
)
REPORTS = (
    "The {} is where it should be.",
    "We looked at the {} again this morning.",
    "Somebody took care of the {} on Friday.",
    "I know all there is to know about the {}.",
    "There is news of the {}.",
    "They checked the {} when you asked for it.",
    "I have found the {}.",
    "We needed the {}, and you helped.",
    "The office sent somebody for the {}.",
    "As you know, the {} is ready.",
    "It was good to have the {} by noon.",
    "A colleague helped me with the {}.",
    "Nobody forgot the {}.",
    "The {} waited until this week.",
)
EACH = 6
"""Messages of each class about each thing."""


def messages() -> list[tuple[str, str, str]]:
    """Rows of message, class and thing, in an order that is always the same."""
    drawn = random.Random(18)  # noqa: S311 (nothing depends on it)
    rows = [
        (pattern.format(thing), label, thing)
        for thing in THINGS
        for label, patterns in (("request", REQUESTS), ("report", REPORTS))
        for pattern in drawn.sample(patterns, EACH)
    ]
    drawn.shuffle(rows)
    return rows


if __name__ == "__main__":
    with Path(sys.argv[1]).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, delimiter="\t", lineterminator="\n")
        table.writerows([("message", "kind", "thing"), *messages()])
