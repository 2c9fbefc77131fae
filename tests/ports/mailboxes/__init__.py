"""The contract of `ports.Mailboxes`, over every kind of server the gateway may meet."""
