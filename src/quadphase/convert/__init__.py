"""Convert: DICOM files to exact volumes, or a clear refusal; contrast phases decided per exam.

Doors: `read_stacks` (files to stacks), `convert_folder` (stand-alone), `convert_case` (a study's case).
"""
