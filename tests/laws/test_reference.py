"""The published pages that are made from declarations are current."""

from __future__ import annotations

import json

import pytest

from streamrnn.commands import config_docs
from tests.laws.places import ROOT

MADE = {"options.md": ("--options", config_docs.page), "config.schema.json": ("--schema", config_docs.schema)}


@pytest.mark.parametrize("name", MADE)
def test_current(name):
    """A change of an option is a change of its page: ``streamrnn config --options > docs/options.md``."""
    flag, made = MADE[name]

    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == made(), f"streamrnn config {flag} > docs/{name}"


def test_schema_knows_every_option():
    """Every option of the page is in the schema."""
    schema = json.loads(config_docs.schema())
    tables = schema["properties"]
    known = {
        name for table in tables.values() for one in table.get("oneOf", [table]) for name in one.get("properties", {})
    }
    listed = {
        line.split("`")[1]
        for part in config_docs.page().split("## ")
        if not part.startswith("`[model]`") and not part.startswith("`kind")
        for line in part.splitlines()
        if line.startswith("| `")
    }

    assert listed - known == set()
    assert {"path", "rate", "every"} <= listed
