"""The command ``posediff``."""
