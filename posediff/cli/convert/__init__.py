"""Commands ``posediff convert …``: other people's checkpoints and data sets to files that posediff reads."""
