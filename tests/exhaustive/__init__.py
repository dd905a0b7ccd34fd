"""What compiled code reads and writes, against the way one by one: far more of it than continuous integration has time for."""
