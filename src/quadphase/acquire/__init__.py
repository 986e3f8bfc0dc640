"""Find the exams of a cohort in a folder of DICOM, in a PACS or behind DICOMweb, and index them in the ledger.

`acquire` is the whole interface. A folder is referenced in place; what a network source gives is stored below
``restricted/dicom`` under keyed hashes and then indexed by the same scan. Restarting goes on where the last run
stopped.
"""

from quadphase.acquire.report import AcquireReport, CaseFound, Transfer
from quadphase.acquire.run import acquire

__all__ = ["AcquireReport", "CaseFound", "Transfer", "acquire"]
