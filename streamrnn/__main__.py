"""``python -m streamrnn`` is ``streamrnn``."""

from streamrnn.cli import main

if __name__ == "__main__":
    main()
