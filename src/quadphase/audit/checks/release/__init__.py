"""Checks of the table, the files and all volumes together, one small file each."""
