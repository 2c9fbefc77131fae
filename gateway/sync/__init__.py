"""What changed and for whom: keys, windows, echoes, conflicts, waiting."""
