"""The ActiveSync commands, one file each."""
