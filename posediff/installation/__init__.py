"""Install what posediff needs, in the order that works: ``make setup`` and ``posediff setup``.

Nothing here imports more than the standard library, and nothing else of posediff: ``tools/setup_env.py`` runs it from a
checkout before anything is installed, and ``posediff setup`` replaces packages that the rest of posediff imports.
"""
