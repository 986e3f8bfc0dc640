"""Finding codes: liver masks and slice ranges."""

from __future__ import annotations

from quadphase.model.finding import FindingCode, Severity

__all__ = ["CODES"]

CODES: tuple[FindingCode, ...] = (
    FindingCode(
        code="liver-cut-at-top",
        severity=Severity.WARNING,
        title="Liver in the uppermost slice: the dome is not covered",
        hint="Check whether the phase was cut; a case with half a liver is usually excluded",
    ),
    FindingCode(
        code="liver-cut-at-bottom",
        severity=Severity.WARNING,
        title="Liver in the lowest slice: the tip is not covered",
        hint="Check whether the phase was cut; a case with half a liver is usually excluded",
    ),
    FindingCode(
        code="liver-volume-unusual",
        severity=Severity.WARNING,
        title="A liver covered whole is below 600 ml, or any is above 3,500 ml",
        hint="Look at the mask; replace it under overrides/livers if it is wrong",
    ),
    FindingCode(
        code="liver-border-unstable",
        severity=Severity.WARNING,
        title="Small changes of the settings move the liver's border a lot",
        hint="Look at the mask; replace it under overrides/livers if it is wrong",
    ),
    FindingCode(
        code="liver-away-from-wall",
        severity=Severity.WARNING,
        title="Little of the liver lies against the right wall of the trunk",
        hint="Ascites or resection explains it; else another organ was taken",
    ),
    FindingCode(
        code="liver-density-uneven",
        severity=Severity.WARNING,
        title="Much of the mask differs from the liver's density",
        hint="Large tumours explain it; else other organs were taken in",
    ),
    FindingCode(
        code="liver-wall-without-ribs",
        severity=Severity.INFO,
        title="Few ribs seen: the wall was drawn from muscle alone",
        hint="Look at the lateral border of the mask",
    ),
    FindingCode(
        code="liver-maybe-on-left",
        severity=Severity.WARNING,
        title="The left half holds the larger piece of even tissue at the wall",
        hint="A mirrored scan, situs inversus or a huge spleen: check the orientation",
    ),
    FindingCode(
        code="liver-differs-between-phases",
        severity=Severity.WARNING,
        title="The liver of this phase differs from that of the other phases",
        hint="Look at the masks side by side",
    ),
    FindingCode(
        code="liver-carried-from-other-phase",
        severity=Severity.WARNING,
        title="This phase alone shows no liver; its mask comes from the other phases",
        hint="Look at the mask before it is released",
    ),
    FindingCode(
        code="liver-not-covered",
        severity=Severity.ERROR,
        title="This phase does not cover the liver",
        hint="The phase cannot be released",
    ),
    FindingCode(
        code="liver-not-found",
        severity=Severity.ERROR,
        title="No phase of the exam shows a liver",
        hint="Is it an abdominal scan? Otherwise give masks under overrides/livers",
    ),
    FindingCode(
        code="liver-low-confidence",
        severity=Severity.WARNING,
        title="The liver mask is less certain than the protocol demands",
        hint="Look at it; accept it with a row in overrides/liver_range.csv, or give a better mask",
    ),
    FindingCode(
        code="liver-range-overridden",
        severity=Severity.INFO,
        title="A person set the slice range of the liver",
        hint="Nothing to do",
    ),
    FindingCode(
        code="liver-mask-overridden",
        severity=Severity.INFO,
        title="A person gave the liver mask",
        hint="Nothing to do",
    ),
)
