"""What mkdocs does to a page before and behind its building."""

from __future__ import annotations

import re
from typing import Any

_OUTSIDE = re.compile(r"\[([^\]]+)\]\(\.\./[^)]+\)")
_ROLE = re.compile(r":[a-z]+:<code>~?([\w.]+)</code>")
_FROM_ELSEWHERE = '<script src="https://unpkg.com/iframe-worker/shim"></script>'
# The search runs in a worker, which a browser does not start for a page of the file system: there a hidden frame takes its place.
_WORKER = """<script>
if (location.protocol === "file:") window.Worker = window.IFrameWorker = class extends EventTarget {
  constructor(url) {
    super()
    const frame = document.createElement("iframe")
    frame.hidden = true
    document.documentElement.append(frame)
    const inner = this.inner = frame.contentWindow
    const load = src => new Promise((loaded, failed) => {
      const script = inner.document.createElement("script")
      Object.assign(script, {src, onload: loaded, onerror: failed})
      inner.document.body.append(script)
    })
    inner.importScripts = (...sources) => sources.reduce((before, src) => before.then(() => load(src)), Promise.resolve())
    inner.postMessage = data => this.answer(data)
    this.ready = load(new URL(url, document.baseURI).href)
  }
  answer(data) {
    const event = new MessageEvent("message", {data})
    this.dispatchEvent(event)
    if (this.onmessage) this.onmessage(event)
  }
  postMessage(data) {
    this.ready.then(() => this.inner.dispatchEvent(new this.inner.MessageEvent("message", {data})))
  }
  terminate() {}
}
</script>"""


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links to sources into plain names: the built pages hold none of them. In the repository they are followed."""
    return markdown if "/" in page.file.src_uri else _OUTSIDE.sub(r"\1", markdown)


def on_page_content(html: str, **_: Any) -> str:
    """Turn the roles of docstrings (``:meth:`learn_one```) into names, which lead to their description where the page has it."""

    def name(match: re.Match[str]) -> str:
        last = match[1].rpartition(".")[2]
        ends = set(re.findall(rf'id="(streamrnn\.[\w.]+\.{last})"', html))
        return f'<a href="#{ends.pop()}"><code>{last}</code></a>' if len(ends) == 1 else f"<code>{last}</code>"

    return _ROLE.sub(name, html)


def on_post_page(output: str, **_: Any) -> str:
    """Let the search work from the file system, with nothing fetched from elsewhere."""
    return output.replace(_FROM_ELSEWHERE, _WORKER)


def on_post_template(output_content: str, **_: Any) -> str:
    """Do the same for the page of what is not found."""
    return output_content.replace(_FROM_ELSEWHERE, _WORKER)
