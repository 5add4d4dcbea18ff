"""The rules. Pure functions from values to values.

Belongs here: policy, calendar, prices, gates, sizing, risk, ledger, ticket.
Does not belong here: I/O, clocks, randomness, Dagster, SQL, or pandas in anything that decides money.
"""
