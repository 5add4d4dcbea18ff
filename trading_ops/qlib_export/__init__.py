"""The Qlib dataset of a data snapshot: clean, adjusted, immutable, the same bytes for the same snapshot.

Belongs here: everything from a snapshot's parts to the finished folder, in numpy. Needs no Qlib and no database.
Does not belong here: which snapshot, which names are frozen, and what Qlib does with it.
"""
