"""``posediff doctor``: list installed packages, find incompatibilities, and print the commands that fix them.

Nothing here imports torch or MMEngine, so that the doctor runs even if they cannot be imported.
"""
