"""A gateway that sends spans to a collector, over a whole session."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support import messages
from tests.support.dovecot import Dovecot
from tests.support.gateway import Gateway
from tests.support.phone import Phone
from tests.support.smtp_sink import SmtpSink

SECRET = "What nobody else is to read"


def test_each_request_tells_what_it_spent_where(dovecot: Dovecot, shared_sink: SmtpSink, user: str) -> None:
    taken: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    dovecot.deliver(user, messages.plain(SECRET))
    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever).start()
        endpoint = f"http://127.0.0.1:{server.server_port}/v1/traces"
        with Gateway(dovecot, shared_sink, sections={"telemetry": {"endpoint": endpoint}}) as gateway:
            phone = Phone(gateway.host, gateway.port, user, dovecot.password)
            phone.provision()
            inbox = phone.folders()["Inbox"]
            phone.begin(inbox)
            assert len(phone.sync(inbox).added) == 1
            gateway.terminate()  # what is not sent yet is sent then
        server.shutdown()
    told = b"".join(taken)
    for text in (b"ActiveSync Provision", b"ActiveSync Sync", b"eas.store.seconds", b"eas.upstream.seconds"):
        assert text in told
    for secret in (SECRET, user, dovecot.password):
        assert secret.encode() not in told
