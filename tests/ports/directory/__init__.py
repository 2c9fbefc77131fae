"""What every directory does, and what is known of the users of the gateway."""
