"""What elements of HTML are to readers of mail: shown or not, a block, a paragraph, a cell."""

from __future__ import annotations

DROPPED = frozenset(
    {
        "head",
        "script",
        "style",
        "title",
        "template",
        "noscript",
        "object",
        "applet",
        "iframe",
        "svg",
        "math",
        "select",
        "button",
        "textarea",
        "audio",
        "video",
    }
)
"""With all that is in them no text of a mail."""
PARAGRAPH = frozenset(
    {"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "blockquote", "pre", "figure", "hr"}
)
BLOCK = PARAGRAPH | frozenset(
    {
        "address",
        "article",
        "aside",
        "body",
        "caption",
        "center",
        "dd",
        "details",
        "div",
        "dt",
        "fieldset",
        "figcaption",
        "footer",
        "form",
        "header",
        "html",
        "li",
        "main",
        "nav",
        "section",
        "summary",
        "tbody",
        "tfoot",
        "thead",
        "tr",
    }
)
CELL = frozenset({"td", "th"})
