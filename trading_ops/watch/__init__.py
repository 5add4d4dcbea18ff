"""The watch: looks at what no check can see, and opens, tells of again and closes incidents.

A run that never came, a stuck run, a dead source, an outbox that does not drain, a disk that fills, a wrong clock.
Does not belong here: the judgement (`domain.watching`), what people do about an incident (`desk.incidents`).
"""
