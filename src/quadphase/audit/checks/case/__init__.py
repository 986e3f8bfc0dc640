"""Checks between the phases of one subject, one small file each."""
