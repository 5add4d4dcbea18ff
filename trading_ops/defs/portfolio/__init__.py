"""From signals to intended trades."""
