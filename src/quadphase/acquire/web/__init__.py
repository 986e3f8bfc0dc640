"""An archive behind DICOMweb: QIDO-RS queries and WADO-RS retrieval (PS3.18 chapter 10)."""

from quadphase.acquire.web.client import WebArchive

__all__ = ["WebArchive"]
