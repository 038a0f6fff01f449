"""``posediff doctor``: what is installed, what of it does not fit together, and the line that cures it.

Nothing here imports torch or MMEngine: the doctor must run where they do not.
"""
