"""A whole price history looked at once: every rule over all of it, and the report for people.

Belongs here: finding in columns what `domain` judges one by one, the report, its comparison with a list made by hand.
Does not belong here: the rules themselves (`domain`), reading files (`providers`) or the database (`store`).
"""
