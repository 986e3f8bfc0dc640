"""Repair: a corrected copy of a flawed release, every assumption written down, nothing changed without a reason.

Changed are: axes that contradict the anatomy, the slice order among phases, repeated components, spacing (given by a
table, or estimated with its uncertainty), values shifted or squeezed against HU where that can be proved, and headers
(built new). Labels, ids, masks' voxels and missing files are left as they are, and `provenance.csv` says so.
"""

from quadphase.audit.repair.run import RepairReport, repair

__all__ = ["RepairReport", "repair"]
