"""Items between a device and the store, as `gateway.sync.items` has them exchanged."""
