"""What comes in: prices, the frozen data snapshot and its quality."""
