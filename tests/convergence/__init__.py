"""Convergence: phones, a second mail program and every fault there is; after quiet all must agree.

fuse fused process    a gateway that can be killed at its k-th I/O boundary
cut                   the line between the gateway and IMAP, cut at byte N
network               the line between a phone and the gateway: replies lost, cut, requests doubled, late
phone habits store    the phone models, with their own stores and retry rules
properties            what can be true of a message besides its place
operations            what a user does with messages
drafting              what a user does with drafts
items kinds           what a user does with events, contacts, tasks and notes, and a phone's folders of them
sending moveitems foldering   what a phone asks for by a request of its own
mailbox               the second mail program
ledger                what has to be true in the end
play steps            a story, and what can happen in one
stage world           what it is played on: one gateway between the servers
cluster faults        several nodes on one PostgreSQL behind a proxy, and what goes wrong with those
ending                how the long runs end when they are told to
soak sweep nodes      the long runs: `make soak`, `python -m tests.convergence.sweep`, `make soak-nodes`

To have the phones do something new:

- Something a message has (categories, another state of its flag): a class in `properties.py` and an entry in
  `PROPERTIES`. That is all: mail arrives with it, the second mail program and the users of phones change it,
  and every store is compared by it.
- A command of Sync (saving a draft): a class derived from `store.Operation`. It says what it does to the
  phone's own copy, how it is written, how an answer is taken, and by `Claim`s what is to be true of which
  message once it is done. If it is done to an item, add a line to `operations.OPERATIONS`; otherwise a step
  calls `phone.do(collection, operation)` before it syncs.
- Another kind of item of the gateway's own store: a line in `kinds.py`.
- A request of its own (MoveItems, FolderCreate, SmartReply): a class derived from `store.Errand`, as in
  `sending.py`. Its `attempt` builds the request, posts it by `phone.command` or `phone.post`, and does to
  the phone's store what the answer says. It is put into `phone.errands`, and `phone.attempt` is repeated, as
  phones do, until the answer is "done". What it changes of messages it tells the ledger by `Claim`s:
  `ledger.issued` when the user did it, `ledger.settled` when it was answered.
- A step: a class derived from `play.Step`, in a file of `steps/`, and an entry in `steps.STEPS`. It makes its
  requests by `play.request`, which chooses what goes wrong on the way. What neither the ledger nor the
  comparison of stores can see, the step remembers itself and returns from `check`, after quiet.
- Another misfortune of several nodes: a class in `faults.py` and an entry in `FAULTS`.
- The sweep's script, if there are new I/O boundaries: a few lines in `sweep.Session.run`.
"""
