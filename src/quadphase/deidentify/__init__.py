"""De-identification with proof: `scan` searches a release for every identifier; DICOM is cleaned by PS3.15 Annex E."""

from quadphase.deidentify.scan import ScanReport, scan

__all__ = ["ScanReport", "scan"]
