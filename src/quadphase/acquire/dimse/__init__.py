"""A PACS that speaks DIMSE: C-ECHO, C-FIND, C-GET, and C-MOVE to a listener of our own (PS3.4 annexes A, B, C)."""

from quadphase.acquire.dimse.client import DimseArchive

__all__ = ["DimseArchive"]
