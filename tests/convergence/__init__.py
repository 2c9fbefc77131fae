"""Convergence: phones, a second mail program and every fault there is; after quiet all must agree.

fuse fused process    a gateway that can be killed at its k-th I/O boundary
cut                   the line between the gateway and IMAP, cut at byte N
network               the line between a phone and the gateway: replies lost, cut, requests doubled, late
phone habits store    the phone models, with their own stores and retry rules
mailbox               the second mail program
ledger                what has to be true in the end
world steps           all of it together, and what can happen there
soak sweep            the long runs: `make soak`, `python -m tests.convergence.sweep`
"""
