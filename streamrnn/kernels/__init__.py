"""numpy + numba only: cells, the window driver, losses, optimisers, the memory layout. See README.md here."""
