"""Why a cell or a ticket counts for nothing: the codes of the analysis in words."""

from collections.abc import Mapping

from lottery.wording import NONE

REASONS: Mapping[str, str] = {
    "full-near-guess-select": "the full model does not clearly beat guessing on select",
    "full-near-guess-dev": "the full model does not clearly beat guessing on dev",
    "no-baseline": "the full model has no score",
    "vacuous": "guessing would have reached the score to keep",
    "kept-nothing": "keeps less than 5 % of the weights",
    "kept-everything": "keeps more than 95 % of the weights",
}


def reason(codes: str | float) -> str:
    """Codes, separated by semicolons, in words; a dash if there are none, which a table reads as NaN."""
    if not isinstance(codes, str) or not codes:
        return NONE
    return "; ".join(REASONS[code] for code in codes.split("; "))
