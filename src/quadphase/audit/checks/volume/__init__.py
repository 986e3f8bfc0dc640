"""Checks of one image and its masks, one small file each."""
