"""Lambda's limit of memory: a function whose process has more resident than its MemorySize is ended in the middle of its call.

Whoever called is told what AWS tells: Runtime.OutOfMemory, in its words. One thread looks at the processes that are at
work, twenty times a second: what is taken and given back in between is not seen. Where there is no /proc nothing is.
"""
import logging
import os
import threading
import time

from ministack.core import lambda_runtime

LOOKS_PER_SECOND = 20
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

logger = logging.getLogger("memory")


class Call:
    def __init__(self, worker):
        self.worker = worker
        self.is_ended = False

    def look(self):
        process = self.worker._proc
        limit = int(self.worker.config.get("MemorySize", 128)) << 20
        resident = _resident_bytes(process)
        if resident > limit:
            self.is_ended = True
            logger.warning("%s has %d MB of %d", self.worker.func_name, resident >> 20, limit >> 20)
            process.kill()


def _resident_bytes(process):
    try:
        with open(f"/proc/{process.pid}/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * PAGE_BYTES
    except (AttributeError, OSError):
        # Not started yet, or gone already.
        return 0


def add_memory_limit():
    invoke = lambda_runtime.Worker.invoke
    calls = set()

    def watch():
        while True:
            for call in list(calls):
                call.look()
            time.sleep(1 / LOOKS_PER_SECOND)

    def limited(worker, event, request_id, **more):
        call = Call(worker)
        calls.add(call)
        try:
            answer = invoke(worker, event, request_id, **more)
        except Exception:
            # Ended while it started.
            if not call.is_ended:
                raise
            answer = {"status": "error"}
        finally:
            calls.discard(call)
        if not call.is_ended or answer["status"] != "error":
            return answer
        return {
            **answer,
            "errorType": "Runtime.OutOfMemory",
            "error": f"RequestId: {request_id} Error: Runtime exited with error: signal: killed",
        }

    lambda_runtime.Worker.invoke = limited
    threading.Thread(target=watch, daemon=True).start()
