"""Audit: every claim of a release checked again from its files; `repair` writes a corrected copy of a flawed one.

Shaped after bids-validator: small checks from one registry, problems as values with stable codes.
"""

from quadphase.audit.report import AuditReport
from quadphase.audit.run import audit

__all__ = ["AuditReport", "audit"]
