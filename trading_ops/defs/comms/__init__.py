"""Telling people, by the clock: the sender and the reminders. What is said and how it is sent is in `comms`."""
