"""Payload {"below": n} on standard input, {"count", "largest"} on standard output."""
import json
import os
import sys


def tell(**line):
    """Progress and logs are JSON lines on standard error."""
    print(json.dumps(line), file=sys.stderr, flush=True)


payload = json.load(sys.stdin)
below = payload["below"]
tell(log="info", message=f"attempt {os.environ['MILLRACE_ATTEMPT']} of task {os.environ['MILLRACE_TASK_ID']}")

is_prime = bytearray([1]) * below
is_prime[0:2] = b"\0\0"
for n in range(2, int(below**0.5) + 1):
    if is_prime[n]:
        is_prime[n * n :: n] = bytes(len(range(n * n, below, n)))
    tell(progress=100 * n * n / below, message=f"sieved by {n}")

count = sum(is_prime)
if count == 0:
    print("there is no prime number below that", file=sys.stderr)
    sys.exit(65)  # EX_DATAERR: no retry can mend this payload
print(json.dumps({"count": count, "largest": is_prime.rindex(1)}))
