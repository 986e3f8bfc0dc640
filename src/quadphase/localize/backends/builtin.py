"""The built-in finder as a backend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from quadphase.localize.exam import find_liver
from quadphase.localize.results import LiverResult, LiverSettings
from quadphase.model import Phase, Volume


@dataclass(frozen=True, slots=True, kw_only=True)
class Builtin:
    """`find_liver` with fixed settings."""

    settings: LiverSettings = field(default_factory=LiverSettings)

    @property
    def name(self) -> str:
        return "builtin"

    def find(self, phases: Mapping[Phase, Volume]) -> Mapping[Phase, LiverResult]:
        """See `quadphase.localize.find_liver`."""
        return find_liver(phases, settings=self.settings)
