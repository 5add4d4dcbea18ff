"""The pages of the desk, in a browser: the door, the navigation, and what each person may see.

Belongs here: how things look and what a press of a button calls. Does not belong here: rules (`trading_ops.domain`),
tables (`trading_ops.store`), and anything of Dagster.
"""
