"""Deterministic data of national size, for benchmarks and nothing else.

`names` makes Chinese names, `tree` the units, `plan` the projects and milestones, `copying` writes
rows by COPY, `marking` decides whether a database may be filled, `seed` puts them together.
"""
