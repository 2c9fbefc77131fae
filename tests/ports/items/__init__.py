"""What every adapter of the port `Items` does."""
