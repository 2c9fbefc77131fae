"""Real servers and sample mail for the tests."""
