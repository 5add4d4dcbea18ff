"""What goes out: the decision of a run and the one ticket of a plan."""
