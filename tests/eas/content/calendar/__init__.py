"""Calendar items."""
