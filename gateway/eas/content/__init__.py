"""The content classes, one file each: items of the ports to and from ApplicationData."""
