"""What a call of a Node function writes belongs to that call: all of its lines, and no other's.

MiniStack takes a call's output as complete when nothing has come for 5 ms after a line. On a busy machine its thread that
reads is later than that: the last lines, `done` and metrics among them, went to the next call, or to nobody when there
was none. Here the process writes a mark before it answers (see launch.py), and the call is read up to it; one that was
ended in the middle of a call, up to the end of its output.
"""
import queue
import time

from ministack.core import lambda_runtime

# What launch.py has the process write; no line of JSON is like it.
MARK = "\x04end of call"
# Of a process that lives and never answers with it: there is none, unless something is broken.
SECONDS_AT_MOST = 30


def read_to_mark():
    drain = lambda_runtime.Worker._drain_stderr_bounded

    def lines_of_call(worker, **bounds):
        if not worker.config.get("Runtime", "").startswith("nodejs"):
            return drain(worker, **bounds)
        lines = []
        deadline = time.monotonic() + SECONDS_AT_MOST
        while time.monotonic() < deadline:
            # Asked first: what was written before the end is in the queue then.
            is_over = not worker._stderr_thread.is_alive()
            try:
                line = worker._stderr_queue.get(timeout=0 if is_over else 0.05)
            except queue.Empty:
                if is_over:
                    break
                continue
            if line.endswith(MARK):
                # Behind what was written without an end of line.
                lines += filter(None, [line.removesuffix(MARK)])
                break
            lines.append(line)
        return "\n".join(lines)

    lambda_runtime.Worker._drain_stderr_bounded = lines_of_call
