"""The protocol: what a device asks and what it is answered, without any I/O."""
