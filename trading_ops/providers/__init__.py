"""Market data in: each source behind one protocol, answering with facts or with one typed refusal.

Belongs here: reading a source exactly, and refusing by name what cannot be read or has an unknown price basis.
Does not belong here: judging prices (`domain.quality`), choosing between sources, or storing (`store`).
"""
