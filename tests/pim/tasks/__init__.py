"""Tasks, as text and as values."""
