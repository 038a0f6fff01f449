"""Models and formats of other projects."""
