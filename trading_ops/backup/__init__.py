"""Backups: made in one moment of the database, proven by a restore, kept as long as they are needed."""
