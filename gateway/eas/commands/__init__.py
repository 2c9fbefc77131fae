"""The ActiveSync commands, one file each."""

from __future__ import annotations

from gateway.eas.commands.base import Command
from gateway.eas.commands.find import Find
from gateway.eas.commands.foldercreate import FolderCreate
from gateway.eas.commands.folderdelete import FolderDelete
from gateway.eas.commands.foldersync import FolderSync
from gateway.eas.commands.folderupdate import FolderUpdate
from gateway.eas.commands.getattachment import GetAttachment
from gateway.eas.commands.gethierarchy import GetHierarchy
from gateway.eas.commands.getitemestimate import GetItemEstimate
from gateway.eas.commands.itemoperations import ItemOperations
from gateway.eas.commands.meetingresponse import MeetingResponse
from gateway.eas.commands.moveitems import MoveItems
from gateway.eas.commands.ping import Ping
from gateway.eas.commands.provision import Provision
from gateway.eas.commands.resolverecipients import ResolveRecipients
from gateway.eas.commands.search import Search
from gateway.eas.commands.sendmail import SendMail
from gateway.eas.commands.settings import Settings
from gateway.eas.commands.smartforward import SmartForward
from gateway.eas.commands.smartreply import SmartReply
from gateway.eas.commands.sync import Sync
from gateway.eas.commands.validatecert import ValidateCert

__all__ = ["COMMANDS"]

COMMANDS: tuple[Command, ...] = (
    Sync(),
    SendMail(),
    SmartForward(),
    SmartReply(),
    GetAttachment(),
    GetHierarchy(),
    FolderSync(),
    FolderCreate(),
    FolderDelete(),
    FolderUpdate(),
    MoveItems(),
    GetItemEstimate(),
    MeetingResponse(),
    Settings(),
    Ping(),
    Search(),
    ItemOperations(),
    Provision(),
    ResolveRecipients(),
    ValidateCert(),
    Find(),
)
"""Every command served. To add one, write its file and name it here."""
