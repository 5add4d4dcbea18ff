"""The outage drill: a local server that fails in every way a source was seen to fail, behind the real clients.

Belongs here: the server, the faults it serves, and what each must end in.
Does not belong here: clients (`providers`) or the fallback between them (`intake`).
"""
