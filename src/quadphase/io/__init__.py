"""Doors to disk: NIfTI, tables, JSON records, the ledger, atomic writes, checksums, the layout of a study."""
