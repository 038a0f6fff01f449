"""Commands ``posediff convert …``: convert datasets and checkpoints of other projects for posediff."""
