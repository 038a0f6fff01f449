"""Readers of published data formats, and what turns them into the files that the datasets load."""
