"""What mkdocs does to a page before it is built."""

from __future__ import annotations

import re
from typing import Any

_OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./[^)]+\)")


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links to sources into plain names: the built pages hold none of them. In the repository they are followed."""
    return markdown if "/" in page.file.src_uri else _OUTSIDE.sub(r"\1", markdown)
