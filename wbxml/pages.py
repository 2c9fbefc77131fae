"""The code pages of ActiveSync as data (MS-ASWBXML 2.1.2.1), with the tags that older versions used.

`AirSync.SyncKey` is a `Tag`. In `tag(token, since)`, `since` is the first protocol version that has the tag,
"2.5" when left out: every version. Tags of "2.0" or None are legacy: phones may send them, a server never
does. Page names are those of the XML schemas; no name clashes with Python, so none is changed.
"""

from __future__ import annotations

from wbxml.tags import PAGES, Page, Tag, lookup, resolve, tag

__all__ = [
    "GAL",
    "PAGES",
    "AirNotify",
    "AirSync",
    "AirSyncBase",
    "Calendar",
    "ComposeMail",
    "Contacts",
    "Contacts2",
    "DocumentLibrary",
    "Email",
    "Email2",
    "Find",
    "FolderHierarchy",
    "GetItemEstimate",
    "ItemOperations",
    "MeetingResponse",
    "Move",
    "Notes",
    "Page",
    "Ping",
    "Provision",
    "ResolveRecipients",
    "RightsManagement",
    "Search",
    "Settings",
    "Tag",
    "Tasks",
    "ValidateCert",
    "by_name",
    "lookup",
    "resolve",
]


class AirSync(Page, number=0, namespace="AirSync"):
    """Synchronisation of collections (MS-ASWBXML 2.1.2.1.1)."""

    Sync = tag(0x05)
    Responses = tag(0x06)
    Add = tag(0x07)
    Change = tag(0x08)
    Delete = tag(0x09)
    Fetch = tag(0x0A)
    SyncKey = tag(0x0B)
    ClientId = tag(0x0C)
    ServerId = tag(0x0D)
    Status = tag(0x0E)
    Collection = tag(0x0F)
    Class = tag(0x10)  # child of Collection up to 12.1, of Options since
    Version = tag(0x11, "2.0")
    CollectionId = tag(0x12)
    GetChanges = tag(0x13)
    MoreAvailable = tag(0x14)
    WindowSize = tag(0x15)
    Commands = tag(0x16)
    Options = tag(0x17)
    FilterType = tag(0x18)
    Truncation = tag(0x19, "2.0")
    RTFTruncation = tag(0x1A, "2.0")
    Conflict = tag(0x1B)
    Collections = tag(0x1C)
    ApplicationData = tag(0x1D)
    DeletesAsMoves = tag(0x1E)
    NotifyGUID = tag(0x1F, "2.0")
    Supported = tag(0x20)
    SoftDelete = tag(0x21)
    MIMESupport = tag(0x22)
    MIMETruncation = tag(0x23)
    Wait = tag(0x24, "12.1")
    Limit = tag(0x25, "12.1")
    Partial = tag(0x26, "12.1")
    ConversationMode = tag(0x27, "14.0")
    MaxItems = tag(0x28, "14.0")
    HeartbeatInterval = tag(0x29, "14.0")


class Contacts(Page, number=1, namespace="Contacts"):
    """Contacts (MS-ASWBXML 2.1.2.1.2)."""

    Anniversary = tag(0x05)
    AssistantName = tag(0x06)
    AssistantPhoneNumber = tag(0x07)
    Birthday = tag(0x08)
    Body = tag(0x09, "2.0")
    BodySize = tag(0x0A, "2.0")
    BodyTruncated = tag(0x0B, "2.0")
    Business2PhoneNumber = tag(0x0C)
    BusinessAddressCity = tag(0x0D)
    BusinessAddressCountry = tag(0x0E)
    BusinessAddressPostalCode = tag(0x0F)
    BusinessAddressState = tag(0x10)
    BusinessAddressStreet = tag(0x11)
    BusinessFaxNumber = tag(0x12)
    BusinessPhoneNumber = tag(0x13)
    CarPhoneNumber = tag(0x14)
    Categories = tag(0x15)
    Category = tag(0x16)
    Children = tag(0x17)
    Child = tag(0x18)
    CompanyName = tag(0x19)
    Department = tag(0x1A)
    Email1Address = tag(0x1B)
    Email2Address = tag(0x1C)
    Email3Address = tag(0x1D)
    FileAs = tag(0x1E)
    FirstName = tag(0x1F)
    Home2PhoneNumber = tag(0x20)
    HomeAddressCity = tag(0x21)
    HomeAddressCountry = tag(0x22)
    HomeAddressPostalCode = tag(0x23)
    HomeAddressState = tag(0x24)
    HomeAddressStreet = tag(0x25)
    HomeFaxNumber = tag(0x26)
    HomePhoneNumber = tag(0x27)
    JobTitle = tag(0x28)
    LastName = tag(0x29)
    MiddleName = tag(0x2A)
    MobilePhoneNumber = tag(0x2B)
    OfficeLocation = tag(0x2C)
    OtherAddressCity = tag(0x2D)
    OtherAddressCountry = tag(0x2E)
    OtherAddressPostalCode = tag(0x2F)
    OtherAddressState = tag(0x30)
    OtherAddressStreet = tag(0x31)
    PagerNumber = tag(0x32)
    RadioPhoneNumber = tag(0x33)
    Spouse = tag(0x34)
    Suffix = tag(0x35)
    Title = tag(0x36)
    WebPage = tag(0x37)
    YomiCompanyName = tag(0x38)
    YomiFirstName = tag(0x39)
    YomiLastName = tag(0x3A)
    CompressedRTF = tag(0x3B, "2.0")
    Picture = tag(0x3C)  # base64
    Alias = tag(0x3D, "14.0")
    WeightedRank = tag(0x3E, "14.0")


class Email(Page, number=2, namespace="Email"):
    """Mail (MS-ASWBXML 2.1.2.1.3)."""

    Attachment = tag(0x05, "2.0")
    Attachments = tag(0x06, "2.0")
    AttName = tag(0x07, "2.0")
    AttSize = tag(0x08, "2.0")
    AttOid = tag(0x09, "2.0")
    AttMethod = tag(0x0A, "2.0")
    AttRemoved = tag(0x0B, "2.0")
    Body = tag(0x0C, "2.0")
    BodySize = tag(0x0D, "2.0")
    BodyTruncated = tag(0x0E, "2.0")
    DateReceived = tag(0x0F)
    DisplayName = tag(0x10, "2.0")
    DisplayTo = tag(0x11)
    Importance = tag(0x12)
    MessageClass = tag(0x13)
    Subject = tag(0x14)
    Read = tag(0x15)
    To = tag(0x16)
    Cc = tag(0x17)
    From = tag(0x18)
    ReplyTo = tag(0x19)
    AllDayEvent = tag(0x1A)
    Categories = tag(0x1B, "14.0")
    Category = tag(0x1C, "14.0")
    DtStamp = tag(0x1D)
    EndTime = tag(0x1E)
    InstanceType = tag(0x1F)
    BusyStatus = tag(0x20)
    Location = tag(0x21)  # up to 14.1, then AirSyncBase.Location
    MeetingRequest = tag(0x22)
    Organizer = tag(0x23)
    RecurrenceId = tag(0x24)
    Reminder = tag(0x25)
    ResponseRequested = tag(0x26)
    Recurrences = tag(0x27)
    Recurrence = tag(0x28)
    Type = tag(0x29)
    Until = tag(0x2A)
    Occurrences = tag(0x2B)
    Interval = tag(0x2C)
    DayOfWeek = tag(0x2D)
    DayOfMonth = tag(0x2E)
    WeekOfMonth = tag(0x2F)
    MonthOfYear = tag(0x30)
    StartTime = tag(0x31)
    Sensitivity = tag(0x32)
    TimeZone = tag(0x33)  # base64 of a time zone structure
    GlobalObjId = tag(0x34)  # base64; up to 14.1, then Calendar.UID
    ThreadTopic = tag(0x35)
    MIMEData = tag(0x36)
    MIMETruncated = tag(0x37)
    MIMESize = tag(0x38)
    InternetCPID = tag(0x39)
    Flag = tag(0x3A, "12.0")
    Status = tag(0x3B, "12.0")
    ContentClass = tag(0x3C, "12.0")
    FlagType = tag(0x3D, "12.0")
    CompleteTime = tag(0x3E, "12.0")
    DisallowNewTimeProposal = tag(0x3F, "14.0")


class AirNotify(Page, number=3, namespace="AirNotify"):
    """Notifications of the first protocol versions; read, never sent."""

    Notify = tag(0x05, "2.0")
    Notification = tag(0x06, "2.0")
    Version = tag(0x07, "2.0")
    LifeTime = tag(0x08, "2.0")
    DeviceInfo = tag(0x09, "2.0")
    Enable = tag(0x0A, "2.0")
    Folder = tag(0x0B, "2.0")
    ServerId = tag(0x0C, "2.0")
    DeviceAddress = tag(0x0D, "2.0")
    ValidCarrierProfiles = tag(0x0E, "2.0")
    CarrierProfile = tag(0x0F, "2.0")
    Status = tag(0x10, "2.0")
    Responses = tag(0x11, "2.0")
    Devices = tag(0x12, "2.0")
    Device = tag(0x13, "2.0")
    Id = tag(0x14, "2.0")
    Expiry = tag(0x15, "2.0")
    NotifyGUID = tag(0x16, "2.0")
    DeviceFriendlyName = tag(0x17, "2.0")


class Calendar(Page, number=4, namespace="Calendar"):
    """Calendar (MS-ASWBXML 2.1.2.1.5)."""

    Timezone = tag(0x05)  # base64 of a time zone structure; spelled unlike Email.TimeZone
    AllDayEvent = tag(0x06)
    Attendees = tag(0x07)
    Attendee = tag(0x08)
    Email = tag(0x09)
    Name = tag(0x0A)
    Body = tag(0x0B, "2.0")
    BodyTruncated = tag(0x0C, "2.0")
    BusyStatus = tag(0x0D)
    Categories = tag(0x0E)
    Category = tag(0x0F)
    CompressedRTF = tag(0x10, "2.0")
    DtStamp = tag(0x11)
    EndTime = tag(0x12)
    Exception = tag(0x13)
    Exceptions = tag(0x14)
    Deleted = tag(0x15)
    ExceptionStartTime = tag(0x16)  # up to 14.1, then AirSyncBase.InstanceId
    Location = tag(0x17)  # up to 14.1, then AirSyncBase.Location
    MeetingStatus = tag(0x18)
    OrganizerEmail = tag(0x19)
    OrganizerName = tag(0x1A)
    Recurrence = tag(0x1B)
    Type = tag(0x1C)
    Until = tag(0x1D)
    Occurrences = tag(0x1E)
    Interval = tag(0x1F)
    DayOfWeek = tag(0x20)
    DayOfMonth = tag(0x21)
    WeekOfMonth = tag(0x22)
    MonthOfYear = tag(0x23)
    Reminder = tag(0x24)
    Sensitivity = tag(0x25)
    Subject = tag(0x26)
    StartTime = tag(0x27)
    UID = tag(0x28)
    AttendeeStatus = tag(0x29, "12.0")
    AttendeeType = tag(0x2A, "12.0")
    Attachment = tag(0x2B, None)
    Attachments = tag(0x2C, None)
    AttName = tag(0x2D, None)
    AttSize = tag(0x2E, None)
    AttOid = tag(0x2F, None)
    AttMethod = tag(0x30, None)
    AttRemoved = tag(0x31, None)
    DisplayName = tag(0x32, None)
    DisallowNewTimeProposal = tag(0x33, "14.0")
    ResponseRequested = tag(0x34, "14.0")
    AppointmentReplyTime = tag(0x35, "14.0")
    ResponseType = tag(0x36, "14.0")
    CalendarType = tag(0x37, "14.0")
    IsLeapMonth = tag(0x38, "14.0")
    FirstDayOfWeek = tag(0x39, "14.1")
    OnlineMeetingConfLink = tag(0x3A, "14.1")
    OnlineMeetingExternalLink = tag(0x3B, "14.1")
    ClientUid = tag(0x3C, "16.0")


class Move(Page, number=5, namespace="Move"):
    """Moves between collections (MS-ASWBXML 2.1.2.1.6)."""

    MoveItems = tag(0x05)
    Move = tag(0x06)
    SrcMsgId = tag(0x07)
    SrcFldId = tag(0x08)
    DstFldId = tag(0x09)
    Response = tag(0x0A)
    Status = tag(0x0B)
    DstMsgId = tag(0x0C)


class GetItemEstimate(Page, number=6, namespace="GetItemEstimate"):
    """Numbers of changes to come (MS-ASWBXML 2.1.2.1.7)."""

    GetItemEstimate = tag(0x05)
    Version = tag(0x06, "2.0")
    Collections = tag(0x07)
    Collection = tag(0x08)
    Class = tag(0x09)  # up to 12.1, then AirSync.Class
    CollectionId = tag(0x0A)
    DateTime = tag(0x0B, "2.0")
    Estimate = tag(0x0C)
    Response = tag(0x0D)
    Status = tag(0x0E)


class FolderHierarchy(Page, number=7, namespace="FolderHierarchy"):
    """The folder hierarchy and its commands (MS-ASWBXML 2.1.2.1.8)."""

    Folders = tag(0x05)  # GetHierarchy, up to 12.1
    Folder = tag(0x06)  # GetHierarchy, up to 12.1
    DisplayName = tag(0x07)
    ServerId = tag(0x08)
    ParentId = tag(0x09)
    Type = tag(0x0A)
    Response = tag(0x0B, "2.0")
    Status = tag(0x0C)
    ContentClass = tag(0x0D, "2.0")
    Changes = tag(0x0E)
    Add = tag(0x0F)
    Delete = tag(0x10)
    Update = tag(0x11)
    SyncKey = tag(0x12)
    FolderCreate = tag(0x13)
    FolderDelete = tag(0x14)
    FolderUpdate = tag(0x15)
    FolderSync = tag(0x16)
    Count = tag(0x17)
    Version = tag(0x18, "2.0")


class MeetingResponse(Page, number=8, namespace="MeetingResponse"):
    """Answers to invitations (MS-ASWBXML 2.1.2.1.9)."""

    CalendarId = tag(0x05)
    CollectionId = tag(0x06)
    MeetingResponse = tag(0x07)
    RequestId = tag(0x08)
    Request = tag(0x09)
    Result = tag(0x0A)
    Status = tag(0x0B)
    UserResponse = tag(0x0C)
    Version = tag(0x0D, "2.0")
    InstanceId = tag(0x0E, "14.1")
    ProposedStartTime = tag(0x10, "16.1")  # also inside Email.MeetingRequest and Calendar.Attendee
    ProposedEndTime = tag(0x11, "16.1")  # also inside Email.MeetingRequest and Calendar.Attendee
    SendResponse = tag(0x12, "16.0")


class Tasks(Page, number=9, namespace="Tasks"):
    """Tasks (MS-ASWBXML 2.1.2.1.10)."""

    Body = tag(0x05)
    BodySize = tag(0x06)
    BodyTruncated = tag(0x07)
    Categories = tag(0x08)
    Category = tag(0x09)
    Complete = tag(0x0A)
    DateCompleted = tag(0x0B)
    DueDate = tag(0x0C)
    UtcDueDate = tag(0x0D)
    Importance = tag(0x0E)
    Recurrence = tag(0x0F)
    Type = tag(0x10)
    Start = tag(0x11)
    Until = tag(0x12)
    Occurrences = tag(0x13)
    Interval = tag(0x14)
    DayOfMonth = tag(0x15)
    DayOfWeek = tag(0x16)
    WeekOfMonth = tag(0x17)
    MonthOfYear = tag(0x18)
    Regenerate = tag(0x19)
    DeadOccur = tag(0x1A)
    ReminderSet = tag(0x1B)
    ReminderTime = tag(0x1C)
    Sensitivity = tag(0x1D)
    StartDate = tag(0x1E)
    UtcStartDate = tag(0x1F)
    Subject = tag(0x20)
    CompressedRTF = tag(0x21)
    OrdinalDate = tag(0x22, "12.0")
    SubOrdinalDate = tag(0x23, "12.0")
    CalendarType = tag(0x24, "14.0")
    IsLeapMonth = tag(0x25, "14.0")
    FirstDayOfWeek = tag(0x26, "14.1")


class ResolveRecipients(Page, number=10, namespace="ResolveRecipients"):
    """Recipients, their certificates and free/busy times (MS-ASWBXML 2.1.2.1.11)."""

    ResolveRecipients = tag(0x05)
    Response = tag(0x06)
    Status = tag(0x07)
    Type = tag(0x08)
    Recipient = tag(0x09)
    DisplayName = tag(0x0A)
    EmailAddress = tag(0x0B)
    Certificates = tag(0x0C)
    Certificate = tag(0x0D)  # base64 of DER
    MiniCertificate = tag(0x0E)  # base64
    Options = tag(0x0F)
    To = tag(0x10)
    CertificateRetrieval = tag(0x11)
    RecipientCount = tag(0x12)
    MaxCertificates = tag(0x13)
    MaxAmbiguousRecipients = tag(0x14)
    CertificateCount = tag(0x15)
    Availability = tag(0x16, "14.0")
    StartTime = tag(0x17, "14.0")
    EndTime = tag(0x18, "14.0")
    MergedFreeBusy = tag(0x19, "14.0")
    Picture = tag(0x1A, "14.1")
    MaxSize = tag(0x1B, "14.1")
    Data = tag(0x1C, "14.1", opaque=True)
    MaxPictures = tag(0x1D, "14.1")


class ValidateCert(Page, number=11, namespace="ValidateCert"):
    """Certificate checks (MS-ASWBXML 2.1.2.1.12)."""

    ValidateCert = tag(0x05)
    Certificates = tag(0x06)
    Certificate = tag(0x07)  # base64 of DER; some clients send OPAQUE DER
    CertificateChain = tag(0x08)
    CheckCRL = tag(0x09)
    Status = tag(0x0A)


class Contacts2(Page, number=12, namespace="Contacts2"):
    """More properties of contacts (MS-ASWBXML 2.1.2.1.13)."""

    CustomerId = tag(0x05)
    GovernmentId = tag(0x06)
    IMAddress = tag(0x07)
    IMAddress2 = tag(0x08)
    IMAddress3 = tag(0x09)
    ManagerName = tag(0x0A)
    CompanyMainPhone = tag(0x0B)
    AccountName = tag(0x0C)
    NickName = tag(0x0D)
    MMS = tag(0x0E)


class Ping(Page, number=13, namespace="Ping"):
    """Waiting for changes (MS-ASWBXML 2.1.2.1.14)."""

    Ping = tag(0x05)
    AutdState = tag(0x06, "2.0")
    Status = tag(0x07)
    HeartbeatInterval = tag(0x08)
    Folders = tag(0x09)
    Folder = tag(0x0A)
    Id = tag(0x0B)
    Class = tag(0x0C)
    MaxFolders = tag(0x0D)


class Provision(Page, number=14, namespace="Provision"):
    """Policies and wipe (MS-ASWBXML 2.1.2.1.15)."""

    Provision = tag(0x05)
    Policies = tag(0x06)
    Policy = tag(0x07)
    PolicyType = tag(0x08)
    PolicyKey = tag(0x09)
    Data = tag(0x0A)
    Status = tag(0x0B)
    RemoteWipe = tag(0x0C)
    EASProvisionDoc = tag(0x0D, "12.0")
    DevicePasswordEnabled = tag(0x0E, "12.0")
    AlphanumericDevicePasswordRequired = tag(0x0F, "12.0")
    RequireStorageCardEncryption = tag(0x10, "12.1")
    PasswordRecoveryEnabled = tag(0x11, "12.0")
    DocumentBrowseEnabled = tag(0x12, "12.0")
    AttachmentsEnabled = tag(0x13, "12.0")
    MinDevicePasswordLength = tag(0x14, "12.0")
    MaxInactivityTimeDeviceLock = tag(0x15, "12.0")
    MaxDevicePasswordFailedAttempts = tag(0x16, "12.0")
    MaxAttachmentSize = tag(0x17, "12.0")
    AllowSimpleDevicePassword = tag(0x18, "12.0")
    DevicePasswordExpiration = tag(0x19, "12.0")
    DevicePasswordHistory = tag(0x1A, "12.0")
    AllowStorageCard = tag(0x1B, "12.1")
    AllowCamera = tag(0x1C, "12.1")
    RequireDeviceEncryption = tag(0x1D, "12.1")
    AllowUnsignedApplications = tag(0x1E, "12.1")
    AllowUnsignedInstallationPackages = tag(0x1F, "12.1")
    MinDevicePasswordComplexCharacters = tag(0x20, "12.1")
    AllowWiFi = tag(0x21, "12.1")
    AllowTextMessaging = tag(0x22, "12.1")
    AllowPOPIMAPEmail = tag(0x23, "12.1")
    AllowBluetooth = tag(0x24, "12.1")
    AllowIrDA = tag(0x25, "12.1")
    RequireManualSyncWhenRoaming = tag(0x26, "12.1")
    AllowDesktopSync = tag(0x27, "12.1")
    MaxCalendarAgeFilter = tag(0x28, "12.1")
    AllowHTMLEmail = tag(0x29, "12.1")
    MaxEmailAgeFilter = tag(0x2A, "12.1")
    MaxEmailBodyTruncationSize = tag(0x2B, "12.1")
    MaxEmailHTMLBodyTruncationSize = tag(0x2C, "12.1")
    RequireSignedSMIMEMessages = tag(0x2D, "12.1")
    RequireEncryptedSMIMEMessages = tag(0x2E, "12.1")
    RequireSignedSMIMEAlgorithm = tag(0x2F, "12.1")
    RequireEncryptionSMIMEAlgorithm = tag(0x30, "12.1")
    AllowSMIMEEncryptionAlgorithmNegotiation = tag(0x31, "12.1")
    AllowSMIMESoftCerts = tag(0x32, "12.1")
    AllowBrowser = tag(0x33, "12.1")
    AllowConsumerEmail = tag(0x34, "12.1")
    AllowRemoteDesktop = tag(0x35, "12.1")
    AllowInternetSharing = tag(0x36, "12.1")
    UnapprovedInROMApplicationList = tag(0x37, "12.1")
    ApplicationName = tag(0x38, "12.1")
    ApprovedApplicationList = tag(0x39, "12.1")
    Hash = tag(0x3A, "12.1")  # SHA-1, as text
    AccountOnlyRemoteWipe = tag(0x3B, "16.1")


class Search(Page, number=15, namespace="Search"):
    """Search in mailbox, address list and documents (MS-ASWBXML 2.1.2.1.16)."""

    Search = tag(0x05)
    Stores = tag(0x06, None)
    Store = tag(0x07)
    Name = tag(0x08)
    Query = tag(0x09)
    Options = tag(0x0A)
    Range = tag(0x0B)
    Status = tag(0x0C)
    Response = tag(0x0D)
    Result = tag(0x0E)
    Properties = tag(0x0F)
    Total = tag(0x10)
    EqualTo = tag(0x11, "12.0")
    Value = tag(0x12, "12.0")
    And = tag(0x13, "12.0")
    Or = tag(0x14, "12.0")
    FreeText = tag(0x15, "12.0")
    DeepTraversal = tag(0x17, "12.0")
    LongId = tag(0x18, "12.0")
    RebuildResults = tag(0x19, "12.0")
    LessThan = tag(0x1A, "12.0")
    GreaterThan = tag(0x1B, "12.0")
    Schema = tag(0x1C, None)
    Supported = tag(0x1D, None)
    UserName = tag(0x1E, "12.1")
    Password = tag(0x1F, "12.1")
    ConversationId = tag(0x20, "14.0", opaque=True)  # clients send a byte array or the text of a GUID
    Picture = tag(0x21, "14.1")
    MaxSize = tag(0x22, "14.1")
    MaxPictures = tag(0x23, "14.1")


class GAL(Page, number=16, namespace="GAL"):
    """Entries of the global address list (MS-ASWBXML 2.1.2.1.17)."""

    DisplayName = tag(0x05)
    Phone = tag(0x06)
    Office = tag(0x07)
    Title = tag(0x08)
    Company = tag(0x09)
    Alias = tag(0x0A)
    FirstName = tag(0x0B)
    LastName = tag(0x0C)
    HomePhone = tag(0x0D)
    MobilePhone = tag(0x0E)
    EmailAddress = tag(0x0F)
    Picture = tag(0x10, "14.1")
    Status = tag(0x11, "14.1")
    Data = tag(0x12, "14.1", opaque=True)


class AirSyncBase(Page, number=17, namespace="AirSyncBase"):
    """What the content classes share: bodies, attachments, locations (MS-ASWBXML 2.1.2.1.18)."""

    BodyPreference = tag(0x05, "12.0")
    Type = tag(0x06, "12.0")
    TruncationSize = tag(0x07, "12.0")
    AllOrNone = tag(0x08, "12.0")
    Body = tag(0x0A, "12.0")
    Data = tag(0x0B, "12.0")  # text; clients may send OPAQUE
    EstimatedDataSize = tag(0x0C, "12.0")
    Truncated = tag(0x0D, "12.0")
    Attachments = tag(0x0E, "12.0")
    Attachment = tag(0x0F, "12.0")
    DisplayName = tag(0x10, "12.0")
    FileReference = tag(0x11, "12.0")
    Method = tag(0x12, "12.0")
    ContentId = tag(0x13, "12.0")
    ContentLocation = tag(0x14, "12.0")
    IsInline = tag(0x15, "12.0")
    NativeBodyType = tag(0x16, "12.0")
    ContentType = tag(0x17, "12.0")
    Preview = tag(0x18, "14.0")
    BodyPartPreference = tag(0x19, "14.1")
    BodyPart = tag(0x1A, "14.1")
    Status = tag(0x1B, "14.1")
    Add = tag(0x1C, "16.0")
    Delete = tag(0x1D, "16.0")
    ClientId = tag(0x1E, "16.0")
    Content = tag(0x1F, "16.0", opaque=True)
    Location = tag(0x20, "16.0")
    Annotation = tag(0x21, "16.0")
    Street = tag(0x22, "16.0")
    City = tag(0x23, "16.0")
    State = tag(0x24, "16.0")
    Country = tag(0x25, "16.0")
    PostalCode = tag(0x26, "16.0")
    Latitude = tag(0x27, "16.0")
    Longitude = tag(0x28, "16.0")
    Accuracy = tag(0x29, "16.0")
    Altitude = tag(0x2A, "16.0")
    AltitudeAccuracy = tag(0x2B, "16.0")
    LocationUri = tag(0x2C, "16.0")
    InstanceId = tag(0x2D, "16.0")


class Settings(Page, number=18, namespace="Settings"):
    """Out of office, device and user information (MS-ASWBXML 2.1.2.1.19)."""

    Settings = tag(0x05, "12.0")
    Status = tag(0x06, "12.0")
    Get = tag(0x07, "12.0")
    Set = tag(0x08, "12.0")
    Oof = tag(0x09, "12.0")
    OofState = tag(0x0A, "12.0")
    StartTime = tag(0x0B, "12.0")
    EndTime = tag(0x0C, "12.0")
    OofMessage = tag(0x0D, "12.0")
    AppliesToInternal = tag(0x0E, "12.0")
    AppliesToExternalKnown = tag(0x0F, "12.0")
    AppliesToExternalUnknown = tag(0x10, "12.0")
    Enabled = tag(0x11, "12.0")
    ReplyMessage = tag(0x12, "12.0")
    BodyType = tag(0x13, "12.0")
    DevicePassword = tag(0x14, "12.0")
    Password = tag(0x15, "12.0")
    DeviceInformation = tag(0x16, "12.0")
    Model = tag(0x17, "12.0")
    IMEI = tag(0x18, "12.0")
    FriendlyName = tag(0x19, "12.0")
    OS = tag(0x1A, "12.0")
    OSLanguage = tag(0x1B, "12.0")
    PhoneNumber = tag(0x1C, "12.0")
    UserInformation = tag(0x1D, "12.0")
    EmailAddresses = tag(0x1E, "12.0")
    SMTPAddress = tag(0x1F, "12.0")
    UserAgent = tag(0x20, "12.1")
    EnableOutboundSMS = tag(0x21, "14.0")
    MobileOperator = tag(0x22, "14.0")
    PrimarySmtpAddress = tag(0x23, "14.1")
    Accounts = tag(0x24, "14.1")
    Account = tag(0x25, "14.1")
    AccountId = tag(0x26, "14.1")
    AccountName = tag(0x27, "14.1")
    UserDisplayName = tag(0x28, "14.1")
    SendDisabled = tag(0x29, "14.1")
    RightsManagementInformation = tag(0x2B, "14.1")


class DocumentLibrary(Page, number=19, namespace="DocumentLibrary"):
    """Documents on file shares (MS-ASWBXML 2.1.2.1.20)."""

    LinkId = tag(0x05, "12.0")
    DisplayName = tag(0x06, "12.0")
    IsFolder = tag(0x07, "12.0")
    CreationDate = tag(0x08, "12.0")
    LastModifiedDate = tag(0x09, "12.0")
    IsHidden = tag(0x0A, "12.0")
    ContentLength = tag(0x0B, "12.0")
    ContentType = tag(0x0C, "12.0")


class ItemOperations(Page, number=20, namespace="ItemOperations"):
    """Fetches and other operations on items (MS-ASWBXML 2.1.2.1.21)."""

    ItemOperations = tag(0x05, "12.0")
    Fetch = tag(0x06, "12.0")
    Store = tag(0x07, "12.0")
    Options = tag(0x08, "12.0")
    Range = tag(0x09, "12.0")
    Total = tag(0x0A, "12.0")
    Properties = tag(0x0B, "12.0")
    Data = tag(0x0C, "12.0")  # base64
    Status = tag(0x0D, "12.0")
    Response = tag(0x0E, "12.0")
    Version = tag(0x0F, "12.0")
    Schema = tag(0x10, "12.0")
    Part = tag(0x11, "12.0")  # index of a part of a multipart reply
    EmptyFolderContents = tag(0x12, "12.0")
    DeleteSubFolders = tag(0x13, "12.0")
    UserName = tag(0x14, "12.1")
    Password = tag(0x15, "12.1")
    Move = tag(0x16, "14.0")
    DstFldId = tag(0x17, "14.0")
    ConversationId = tag(0x18, "14.0", opaque=True)
    MoveAlways = tag(0x19, "14.0")


class ComposeMail(Page, number=21, namespace="ComposeMail"):
    """Outgoing mail (MS-ASWBXML 2.1.2.1.22)."""

    SendMail = tag(0x05, "14.0")
    SmartForward = tag(0x06, "14.0")
    SmartReply = tag(0x07, "14.0")
    SaveInSentItems = tag(0x08, "14.0")
    ReplaceMime = tag(0x09, "14.0")
    Type = tag(0x0A, None)
    Source = tag(0x0B, "14.0")
    FolderId = tag(0x0C, "14.0")
    ItemId = tag(0x0D, "14.0")
    LongId = tag(0x0E, "14.0")
    InstanceId = tag(0x0F, "14.0")
    Mime = tag(0x10, "14.0", opaque=True)
    ClientId = tag(0x11, "14.0")
    Status = tag(0x12, "14.0")
    AccountId = tag(0x13, "14.1")
    Forwardees = tag(0x15, "16.0")
    Forwardee = tag(0x16, "16.0")
    Name = tag(0x17, "16.0")  # ForwardeeName in the XML schema
    Email = tag(0x18, "16.0")  # ForwardeeEmail in the XML schema


class Email2(Page, number=22, namespace="Email2"):
    """More properties of mail (MS-ASWBXML 2.1.2.1.23)."""

    UmCallerID = tag(0x05, "14.0")
    UmUserNotes = tag(0x06, "14.0")
    UmAttDuration = tag(0x07, "14.0")
    UmAttOrder = tag(0x08, "14.0")
    ConversationId = tag(0x09, "14.0", opaque=True)
    ConversationIndex = tag(0x0A, "14.0", opaque=True)
    LastVerbExecuted = tag(0x0B, "14.0")
    LastVerbExecutionTime = tag(0x0C, "14.0")
    ReceivedAsBcc = tag(0x0D, "14.0")
    Sender = tag(0x0E, "14.0")
    CalendarType = tag(0x0F, "14.0")
    IsLeapMonth = tag(0x10, "14.0")
    AccountId = tag(0x11, "14.1")
    FirstDayOfWeek = tag(0x12, "14.1")
    MeetingMessageType = tag(0x13, "14.1")
    IsDraft = tag(0x15, "16.0")
    Bcc = tag(0x16, "16.0")
    Send = tag(0x17, "16.0")


class Notes(Page, number=23, namespace="Notes"):
    """Notes (MS-ASWBXML 2.1.2.1.24)."""

    Subject = tag(0x05, "14.0")
    MessageClass = tag(0x06, "14.0")
    LastModifiedDate = tag(0x07, "14.0")
    Categories = tag(0x08, "14.0")
    Category = tag(0x09, "14.0")


class RightsManagement(Page, number=24, namespace="RightsManagement"):
    """Rights management (MS-ASWBXML 2.1.2.1.25)."""

    RightsManagementSupport = tag(0x05, "14.1")
    RightsManagementTemplates = tag(0x06, "14.1")
    RightsManagementTemplate = tag(0x07, "14.1")
    RightsManagementLicense = tag(0x08, "14.1")
    EditAllowed = tag(0x09, "14.1")
    ReplyAllowed = tag(0x0A, "14.1")
    ReplyAllAllowed = tag(0x0B, "14.1")
    ForwardAllowed = tag(0x0C, "14.1")
    ModifyRecipientsAllowed = tag(0x0D, "14.1")
    ExtractAllowed = tag(0x0E, "14.1")
    PrintAllowed = tag(0x0F, "14.1")
    ExportAllowed = tag(0x10, "14.1")
    ProgrammaticAccessAllowed = tag(0x11, "14.1")
    Owner = tag(0x12, "14.1")
    ContentExpiryDate = tag(0x13, "14.1")
    TemplateID = tag(0x14, "14.1")
    TemplateName = tag(0x15, "14.1")
    TemplateDescription = tag(0x16, "14.1")
    ContentOwner = tag(0x17, "14.1")
    RemoveRightsManagementProtection = tag(0x18, "14.1")


class Find(Page, number=25, namespace="Find"):
    """Search of protocol version 16.1 (MS-ASWBXML 2.1.2.1.26)."""

    Find = tag(0x05, "16.1")
    SearchId = tag(0x06, "16.1")
    ExecuteSearch = tag(0x07, "16.1")
    MailBoxSearchCriterion = tag(0x08, "16.1")
    Query = tag(0x09, "16.1")
    Status = tag(0x0A, "16.1")
    FreeText = tag(0x0B, "16.1")
    Options = tag(0x0C, "16.1")
    Range = tag(0x0D, "16.1")
    DeepTraversal = tag(0x0E, "16.1")
    Response = tag(0x11, "16.1")
    Result = tag(0x12, "16.1")
    Properties = tag(0x13, "16.1")
    Preview = tag(0x14, "16.1")
    HasAttachments = tag(0x15, "16.1")
    Total = tag(0x16, "16.1")
    DisplayCc = tag(0x17, "16.1")
    DisplayBcc = tag(0x18, "16.1")
    GalSearchCriterion = tag(0x19, "16.1")
    MaxPictures = tag(0x20, "16.1", alias=0x1A)  # some clients use the second token
    MaxSize = tag(0x21, "16.1", alias=0x1B)
    Picture = tag(0x22, "16.1", alias=0x1C)


_by_name = {(page.namespace, tag.name): tag for page in PAGES.values() for tag in page.tokens.values()}


def by_name(namespace: str, name: str) -> Tag:
    """Return the tag of this name, or the placeholder that prints so; raises KeyError when there is none.

    `by_name(tag.namespace, tag.name)` is `tag` for every tag.
    """
    known = _by_name.get((namespace, name))
    return _placeholder(namespace, name) if known is None else known


def _placeholder(namespace: str, name: str) -> Tag:
    number = next((page.number for page in PAGES.values() if page.namespace == namespace), None)
    if number is None and namespace.startswith("Page") and namespace[4:].isdecimal():
        number = int(namespace[4:])
    if number is not None and name.startswith("Unknown"):
        try:
            found = resolve(number, int(name[7:], 16))
        except ValueError:
            pass
        else:
            if (found.namespace, found.name) == (namespace, name):
                return found
    raise KeyError(f"{namespace}:{name}")
