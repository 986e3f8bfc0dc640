"""From the files of one row to `VolumeFacts`: each file is read once, its array is gone when the facts are made."""

from quadphase.audit.measure.volume import Measured, location_of, measure

__all__ = ["Measured", "location_of", "measure"]
