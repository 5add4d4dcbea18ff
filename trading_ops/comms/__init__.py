"""Telling people: from rows of the outbox to mails and pushes, each sent once, each failure kept with its reason.

Belongs here: what a message says, to whom, how it leaves the house, when it is tried again, which reminders are due.
Does not belong here: deciding that something must be told (whoever stores the fact writes its outbox row), or SQL.
"""
