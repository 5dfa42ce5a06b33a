"""Functions that can be killed: a process that has imported the handler and forks once for every invocation.

Reads one JSON line, {"environment", "body", "seconds"}; forks; prints the child's pid; at the next line the child runs
`lambda_handler` on that one message; prints its exit status, negative for a signal. Forking saves the second that an
import takes: the tests kill a function at each of its steps.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from handler import app
from tests.handler.world import Context


def invoke(job: dict[str, Any]) -> None:
    """One invocation in a process of its own."""
    os.environ.update(job["environment"])
    record = {
        "messageId": "m",
        "receiptHandle": "none",
        "body": job["body"],
        "attributes": {"ApproximateReceiveCount": "1"},
    }
    answer = app.lambda_handler({"Records": [record]}, Context(job["seconds"]))
    sys.stdout.flush()
    os._exit(1 if answer["batchItemFailures"] else 0)


def main() -> None:
    """Serve jobs until standard input ends."""
    talk = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what functions print goes elsewhere
    for line in sys.stdin:
        go, ready = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(ready)
            os.read(go, 1)
            try:
                invoke(json.loads(line))
            finally:
                os._exit(2)
        os.close(go)
        print(pid, file=talk, flush=True)
        sys.stdin.readline()
        os.write(ready, b"g")
        os.close(ready)
        _, status = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(status), file=talk, flush=True)


if __name__ == "__main__":
    main()
