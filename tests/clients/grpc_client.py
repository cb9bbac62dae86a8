"""gRPC as an independent client uses it: the official library for Python.

    grpc_client.py CALLS

CALLS is a JSON file with the calls of `grpc.json`, their tokens and the addresses of servers, as `.ci/grpc` writes it.
"""
import json
import pathlib
import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

calls = json.loads(pathlib.Path(sys.argv[1]).read_text())
message = health_pb2.HealthCheckRequest()


def refusal(call):
    """Makes a call. Returns its refusal, or none."""
    health = health_pb2_grpc.HealthStub(grpc.insecure_channel(call["address"]))
    metadata = list(call["metadata"].items())
    try:
        if call["method"] == "Check":
            health.Check(message, metadata=metadata, timeout=10)
        else:
            next(health.Watch(message, metadata=metadata, timeout=10))
        return None
    except grpc.RpcError as error:
        return error


for call in calls:
    error = refusal(call)
    seen = (0, "") if error is None else (error.code().value[0], error.details())
    assert seen == (call["status"], call["description"]), (call["cause"], seen)
    if error is None:
        continue
    # The headers of a response without a body are its trailers.
    metadata = [*(error.trailing_metadata() or []), *(error.initial_metadata() or [])]
    values = lambda name: [value for key, value in metadata if key == name]
    assert values("error-code") == [call["error_code"]], (call["cause"], metadata)
    assert values("www-authenticate") == call["challenges"], (call["cause"], metadata)
    assert len(values("retry-after")) == (call["status"] == 14), (call["cause"], metadata)
print(f"grpc_client.py: {len(calls)} passed")
