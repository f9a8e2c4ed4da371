"""The pipeline: the stages a potential goes through. They are data; the first migration brings the usual ones."""
