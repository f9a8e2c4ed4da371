"""Potentials: the deals one works on, each in a stage of the pipeline."""
