"""GetAttachment (MS-ASCMD 2.2.1.8): a file as the HTTP answer itself, for versions up to 12.1."""

from __future__ import annotations

from contextlib import ExitStack

from gateway.eas import multipart
from gateway.eas.commands.base import BodyRule, Context, Raw, Reply
from gateway.eas.content.attachments import copy_attachment
from gateway.eas.content.ids import parse_file_reference
from gateway.eas.versions import Version
from gateway.errors import Kind, NotFound, Refused
from gateway.sync.folders import Folders
from gateway.sync.hierarchy import mailbox_of
from wbxml import Element

__all__ = ["GetAttachment"]


class GetAttachment:
    """Sends the file whose FileReference or AttName is the parameter AttachmentName."""

    name = "GetAttachment"
    code = 4
    root = None
    status = None
    first = Version.V2_5
    last = Version.V12_1
    needs_policy_key = True
    body = BodyRule.NONE

    async def handle(self, context: Context, root: Element | None, body: bytes) -> Reply:  # noqa: ARG002
        """Raises `NotFound` (HTTP 500), `Refused`, and what the upstream raises.

        The file is fetched as a whole before the answer begins: only then its size is known, and no
        connection waits for a slow phone.
        """
        wanted = context.request.attachment_name
        if not wanted:
            raise Refused(Kind.INVALID_CONTENT, "GetAttachment without AttachmentName")
        name = parse_file_reference(wanted)
        folders = Folders(context.services.state, context.mailboxes, context.principal.user)
        folder = await folders.find(name.collection)
        mailbox = mailbox_of(folder) if folder else None
        if mailbox is None:
            raise NotFound("no such collection")
        spool = context.services.spool()
        with ExitStack() as stack:
            stack.callback(spool.close)
            file = await copy_attachment(context.mailboxes, mailbox, name, spool, largest=multipart.LARGEST)
            stack.pop_all()
        return Raw(file.content_type, spool, spool.close)
