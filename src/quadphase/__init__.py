"""quadphase builds, proves and serves multi-phase contrast-enhanced CT datasets."""

__version__ = "0.1.0"
