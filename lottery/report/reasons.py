"""Reasons for which a cell or a ticket counts for nothing: the codes of the analysis in words."""

from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    "full-near-guess-select": "the full model does not clearly beat guessing on select",
    "full-near-guess-dev": "the full model does not clearly beat guessing on dev",
    "no-baseline": "the full model has no score",
    "vacuous": "guessing would have reached the score to keep",
    "kept-nothing": "keeps less than 5 % of the weights",
    "kept-everything": "keeps more than 95 % of the weights",
}


def reasons(codes: str | float) -> list[str]:
    """Codes, separated by semicolons, in words; none if there are none, which a table reads as NaN."""
    return [REASONS[code] for code in codes.split("; ")] if isinstance(codes, str) and codes else []
