"""The demonstration: embedded mail servers with sample mail, and a small phone."""
