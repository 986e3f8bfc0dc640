"""Numbers about groups of subjects: summaries with their denominators, Table 1, measures per image and per patient."""
