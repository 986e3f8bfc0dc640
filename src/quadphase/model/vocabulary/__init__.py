"""The words a text may be made of to leave the hospital: names of things (`plain_code`), anatomy and technique.

Two allow-lists, because nobody can list all names of persons. `deidentify` judges the headers of shared DICOM with
them, `release` what a scanner wrote about itself: the two never disagree about one text.
"""
