"""The sections of the configuration: their keys, what each defaults to, and what it means."""
