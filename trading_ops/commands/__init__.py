"""The commands of the command line, one file a subject; thin: read, call, print.

Belongs here: arguments, files that people hand in, tables and JSON for the terminal.
Does not belong here: rules, SQL, the order of a plan's steps.
"""
