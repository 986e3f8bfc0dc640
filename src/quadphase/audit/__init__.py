"""Audit: every claim of a release checked again from its files; `repair` writes a corrected copy of a flawed one.

Shaped after bids-validator: small checks from one registry, problems as values with stable codes.
"""

import sys
from types import ModuleType
from typing import Any

from quadphase.audit.report import AuditReport
from quadphase.audit.run import audit

__all__ = ["AuditReport", "audit"]


class _Door(ModuleType):
    """The room itself can be called: ``quadphase.audit(path)`` means `audit`, also after the room was imported."""

    def __call__(self, *args: Any, **kwargs: Any) -> AuditReport:
        return audit(*args, **kwargs)


sys.modules[__name__].__class__ = _Door
