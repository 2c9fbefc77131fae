"""Events, as text and as values."""
