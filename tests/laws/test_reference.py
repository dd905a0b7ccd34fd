"""The published pages that are made from declarations are current."""

from __future__ import annotations

import json
from functools import partial

import pytest

from streamrnn.commands import config_docs, output_schema
from tests.laws.places import ROOT

MADE = {
    "options.md": ("config --options", config_docs.page),
    "config.schema.json": ("config --schema", config_docs.schema),
    **{f"{one}.schema.json": (f"schema {one}", partial(output_schema.schema, one)) for one in output_schema.OUTPUTS},
}


@pytest.mark.parametrize("name", MADE)
def test_current(name):
    """A change of an option is a change of its page: ``streamrnn config --options > docs/options.md``."""
    words, made = MADE[name]

    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == made(), f"streamrnn {words} > docs/{name}"


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
