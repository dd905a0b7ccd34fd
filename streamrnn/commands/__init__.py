"""What the command line does, one file a command. See the README beside this file."""
