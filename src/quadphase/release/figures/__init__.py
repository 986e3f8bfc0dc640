"""The paper's figures, made from a release. matplotlib is imported inside functions only: it takes a second to load."""
