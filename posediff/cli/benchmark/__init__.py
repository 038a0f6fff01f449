"""Commands ``posediff benchmark …``: timings, sweeps and comparisons of models and results."""
