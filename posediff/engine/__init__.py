"""Training and testing: configs, launchers, hooks and optimizers."""
