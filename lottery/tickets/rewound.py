"""Names of rewound masks and of the controls that they are compared with, without torch."""

from dataclasses import dataclass

REWOUND = "rewound"


@dataclass(frozen=True)
class Control:
    """A control of rewound masks: its name in tables, and in words."""

    name: str
    words: str


RANDOM = Control("random", "random masks")
REINITIALISED = Control("reinitialised", "the same mask on random weights")
ONE_SHOT = Control("one-shot", "one-shot magnitude masks")
PRETRAINED = Control("pretrained", "magnitude masks of the pre-trained weights")
CONTROLS = (RANDOM, REINITIALISED, ONE_SHOT, PRETRAINED)
"""All controls, in the order of tables."""
