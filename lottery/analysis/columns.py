"""The columns that say what a row of a table is about."""

from lottery.vocabulary import TICKET_STATE

CELL = ["task", "seed"]
SEARCH = [*CELL, "method"]
SIZED = [*TICKET_STATE, "matched"]
"""A kind of ticket in a state, at its own size or at a matched one."""
OWN_SIZE = -1.0
"""Stands for the missing `matched` of a ticket of the size of its search, which comes before matched ones."""
