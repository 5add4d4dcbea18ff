"""What keeps the desk running: backups."""
