"""Readers and converters of published data formats."""
