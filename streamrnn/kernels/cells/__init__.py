"""What one time step of a layer computes, forward and backward. See README.md here."""
