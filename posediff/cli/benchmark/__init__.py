"""Commands ``posediff benchmark …``: times, sweeps and comparisons of models and results."""
