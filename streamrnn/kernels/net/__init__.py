"""The net on its slab: layout, forward, backward, update, and the entries for labelled streams. See README.md here."""
