"""Pieces that several pages show. They take values and draw; they read and write nothing themselves."""
