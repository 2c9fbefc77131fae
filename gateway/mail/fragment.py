"""An HTML message made fit to stand inside another: whole elements, and nothing that acts on its own."""

from __future__ import annotations

import html
import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from gateway.mail.html import restored, shallow

__all__ = ["fragment"]

_DROPPED = (
    "script, iframe, frame, frameset, object, embed, applet, base, meta, link, title, template, noscript, "
    "audio, video, svg, math, input, button, select, textarea, dialog"
)
_UNWRAPPED = ["form", "noembed", "noframes", "plaintext", "xmp"]
_ADDRESSES = frozenset({"href", "src", "background", "action", "formaction", "cite", "longdesc", "srcset"})
_NOT_IN_ADDRESS = re.compile(r"[\x00-\x20\x7f]+")
_ACTIVE = re.compile(r"(?:javascript|vbscript|livescript|data:text/html|data:image/svg)", re.IGNORECASE)
_IMPORT = re.compile(r"@import\b[^;]*;?|expression\s*\(|</?style", re.IGNORECASE)
_BODY_STYLE = (("bgcolor", "background-color"), ("text", "color"))
_COLOUR = re.compile(r"#?[0-9A-Za-z]{1,30}")


def fragment(document: str) -> str:
    """The document as one `div` with its style sheets before it.

    Scripts, comments, frames, forms and addresses that run something are left out, and every element is
    closed, so that nothing before or after the fragment is touched by what is in it.
    """
    parser = LexborHTMLParser(shallow(document))
    body = parser.body
    if body is None:
        return ""
    for node in parser.css(_DROPPED):
        node.decompose()
    parser.unwrap_tags(_UNWRAPPED)
    styles = [_IMPORT.sub("", node.text_content or node.text() or "") for node in parser.css("style")]
    for node in parser.css("style"):
        node.decompose()
    for node in list(body.traverse(include_text=True)):
        if node.is_comment_node:
            node.decompose()
        elif node.is_element_node:
            _quieten(node)
    sheets = "".join(f"<style>{style}</style>" for style in styles if style.strip())
    return f"{sheets}<div{_style_of(body)}>{restored(body.inner_html or '')}</div>"


def _quieten(node: LexborNode) -> None:
    for name, value in list(node.attributes.items()):
        plain = name.lower().rpartition(":")[2]
        address = _NOT_IN_ADDRESS.sub("", value or "")
        if plain.startswith("on") or (plain in _ADDRESSES and _ACTIVE.match(address)):
            del node.attrs[name]


def _style_of(body: LexborNode) -> str:
    """The looks of the body element, for the one that takes its place."""
    attributes = body.attributes
    rules = [
        f"{rule}: {value}"
        for name, rule in _BODY_STYLE
        if (value := (attributes.get(name) or "").strip()) and _COLOUR.fullmatch(value)
    ]
    rules.append((attributes.get("style") or "").strip())
    style = "; ".join(filter(None, rules))
    return f' style="{html.escape(style)}"' if style else ""
