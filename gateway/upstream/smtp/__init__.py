"""Mail submission by SMTP (RFC 6409)."""

from gateway.upstream.smtp.settings import SmtpSettings
from gateway.upstream.smtp.submission import SmtpSubmission

__all__ = ["SmtpSettings", "SmtpSubmission"]
