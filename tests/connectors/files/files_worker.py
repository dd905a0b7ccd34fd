"""A small runtime, run as a process of its own: sums a column, with snapshots, and can be killed at any time.

``python files_worker.py INPUT OUTPUT DEAD STATE PAUSE``. The output of a row is the sum so far.
"""

from __future__ import annotations

import json
import sys
import time

from streamrnn_files import FileSink, FileSource


def offset(position) -> int:
    return int(str(position).rpartition(":")[2])


def run(path: str, output: str, dead: str, state: str, pause: float = 0.0, size: int = 7, every: int = 3) -> None:
    """Sum column ``a`` of ``path``; write a snapshot with every third commit, the first one included."""
    total, commits, muted = 0.0, 0, 0
    sink = FileSink.from_path(output, dead_letters=dead, state_dir=state, fsync="never")
    with FileSource.from_path(path, columns=["a"]) as source, sink:
        restored = sink.restore("0")
        if restored is not None:
            assert restored.snapshot is not None
            assert restored.snapshot_position is not None
            total, commits = json.loads(restored.snapshot)
            muted = offset(restored.position)
            source.seek("0", restored.snapshot_position)
        while not (poll := source.poll(size, 0.1)).ended:
            for block in poll.blocks:
                outputs = []
                for event in block.events():
                    total += event.x["a"]
                    if offset(event.position) >= muted:
                        outputs.append(json.dumps([event.position, total]).encode())
                letters = [letter for letter in block.dead_letters if offset(letter.position) >= muted]
                if offset(block.next_position) <= muted:
                    continue
                commits += 1
                snapshots = {"0": json.dumps([total, commits]).encode()} if commits % every == 1 else None
                sink.commit(outputs, letters, {"0": block.next_position}, snapshots)
                time.sleep(pause)


if __name__ == "__main__":
    run(*sys.argv[1:5], pause=float(sys.argv[5]))
