"""Market data in, from question to storage: what is missing, whom to ask for it, in what order and how patiently.

Belongs here: the chain of sources, pacing, budgets, fallback, the folder where people drop files, telling people.
Does not belong here: how one source answers (`providers`), SQL (`store`), or judging the data (`domain.quality`).
"""
