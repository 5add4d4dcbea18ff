"""Daily and weekly reports: collected from the database as facts, worded, drawn, stored and told.

Belongs here: what a report holds and how it reads. Does not belong here: figures (`domain`), storage (`store.reports`),
transport (`comms`), the clockwork (`defs`).
"""
