"""Pure functions on arrays and grids. No files, no DICOM, no state."""
