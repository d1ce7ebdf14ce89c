"""Timings beside the peers, one command each; results are committed as measured."""
