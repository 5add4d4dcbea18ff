"""The weekly loop as steps: read what a run may see, let the domain judge, store the answer.

Belongs here: the order of the steps and their transactions; used by Dagster's assets, the command line and simulation.
Does not belong here: rules (`domain`), SQL (`store`), schedules and user interface (`defs`).
"""
