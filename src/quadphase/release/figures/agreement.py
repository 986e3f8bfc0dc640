"""How far two readers agree: the distribution of Dice, and volumes after Bland & Altman.

Limits of agreement are mean ± 1.96 SD of the differences (Bland & Altman 1986, doi:10.1016/S0140-6736(86)90837-8); they
assume one pair of readers, so the figure is drawn for the first pair.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev
from typing import Any, Final

from quadphase.errors import InputError
from quadphase.model import Phase
from quadphase.release.figures.style import GREY, INK, PALETTE, styled

__all__ = ["AgreementPair", "agreement_pairs", "draw_agreement"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementPair:
    """One image read twice."""

    case: str
    phase: Phase
    dice: float
    volume_a_ml: float
    volume_b_ml: float


def agreement_pairs(report: Mapping[str, Any]) -> tuple[AgreementPair, ...]:
    """Pairs of the first two readers from `reports/agreement.json`; two empty masks have no Dice and are left out.

    Raises
    ------
    InputError
        ``"bad-agreement"``.
    """
    try:
        rows = list(report["rows"])
        first = rows[0]["readers"] if rows else None
        return tuple(
            AgreementPair(
                case=row["case"],
                phase=Phase(row["phase"]),
                dice=float(row["dice"]),
                volume_a_ml=float(row["volume_a_ml"]),
                volume_b_ml=float(row["volume_b_ml"]),
            )
            for row in rows
            if row["dice"] is not None and row["readers"] == first
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError(
            "bad-agreement",
            "The agreement of readers is not in the form of reports/agreement.json",
            "Run `quadphase annotate agree` again",
        ) from None


BINS: Final = 20


def draw_agreement(pairs: Sequence[AgreementPair]) -> Any:
    """The figure; at least one pair."""
    dice = [pair.dice for pair in pairs]
    mean_ml = [(pair.volume_a_ml + pair.volume_b_ml) / 2 for pair in pairs]
    difference = [pair.volume_b_ml - pair.volume_a_ml for pair in pairs]
    with styled() as figure_module:
        figure = figure_module.Figure(figsize=(8.6, 3.4), layout="constrained")
        left, right = figure.subplots(1, 2)
        left.hist(dice, bins=[n / BINS for n in range(BINS + 1)], color=PALETTE[0], edgecolor="white", linewidth=0.6)
        left.margins(y=0.14)  # room for the word above the highest bar
        middle = median(dice)
        left.axvline(middle, color=INK, linewidth=1)
        left.annotate(
            "median",
            (middle, 1),
            xycoords=("data", "axes fraction"),
            xytext=(3 if middle < 0.5 else -3, -2),
            textcoords="offset points",
            ha="left" if middle < 0.5 else "right",
            va="top",
            fontsize=7,
        )
        spread = f", SD {stdev(dice):.3f}" if len(dice) > 1 else ""
        left.set_title(f"Dice: mean {fmean(dice):.3f}, median {middle:.3f}{spread}", loc="left", fontsize=9)
        left.set(xlim=(0, 1), xlabel="Dice of the two readings", ylabel="images")
        left.yaxis.get_major_locator().set_params(integer=True)
        for number, phase in enumerate(Phase):
            own = [n for n, pair in enumerate(pairs) if pair.phase is phase]
            if own:
                right.scatter(
                    [mean_ml[n] for n in own],
                    [difference[n] for n in own],
                    s=16,
                    color=PALETTE[number],
                    label=phase.label,
                    alpha=0.85,
                    linewidths=0,
                )
        bias = fmean(difference)
        right.axhline(0, color=GREY, linewidth=0.6)
        right.axhline(bias, color=INK, linewidth=1)
        title = f"Volumes: bias {bias:+.2f} ml"
        if len(difference) > 1:
            reach = 1.96 * stdev(difference)
            for limit in (bias - reach, bias + reach):
                right.axhline(limit, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
            title += f", limits {bias - reach:+.2f} to {bias + reach:+.2f} ml"
        right.set_title(title, loc="left", fontsize=9)
        right.set(xlabel="mean of the two volumes (ml)", ylabel="second minus first reading (ml)")
        right.legend(frameon=False, fontsize=7, ncols=4, loc="upper center", bbox_to_anchor=(0.5, -0.18))
        figure.supxlabel(f"{len(pairs)} images read twice", fontsize=8, x=0.02, ha="left")
    return figure
