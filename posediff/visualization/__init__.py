"""Pictures of poses and of tables. Matplotlib without a display; nothing here is imported by models or training."""
