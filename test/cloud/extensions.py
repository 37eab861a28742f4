"""What MiniStack lacks and Holdfast's stacks use, added from outside. Each is listed in docs/fidelity.md.

* EventBridge Scheduler: universal targets (only sfn:startExecution) and the context attributes <aws.scheduler.…>.
* CloudFormation: AWS::KMS::ReplicaKey, by the emulator's own ReplicateKey; the Region of Fn::GetStackOutput.
* Step Functions: the name that a throttled function has there; with a Lambda that has no room there is Lambda.Unknown.
* CloudWatch and CloudTrail as alarms need them: see alarms.py.
* Lambda: the limit of a function's memory: see memory.py; its log lines, each with its own call: see loglines.py.
* Faults that a test asks for: a service's error, or one of Step Functions when it calls a function.

Nothing here answers in the place of Holdfast's own code.
"""
import json
import os
import re
import threading
import uuid
from datetime import datetime, timezone

import alarms
import conditions
import loglines
import memory
from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import eventbridge, kms, stepfunctions
from ministack.services.cloudformation import engine, provisioners

UNIVERSAL_START = "arn:aws:scheduler:::aws-sdk:sfn:startExecution"


def add_universal_targets():
    dispatch = eventbridge._invoke_target

    def invoke(target, event, rule, view=None):
        if event.get("Source") != "aws.scheduler":
            return dispatch(target, event, rule, view)
        filled = {**target, "Input": _with_attributes(target.get("Input") or "{}", event)}
        if target.get("Arn") != UNIVERSAL_START:
            return dispatch(filled, event, rule, view)
        request = json.loads(filled["Input"])
        status, _, body = stepfunctions._start_execution(
            {
                "stateMachineArn": request["StateMachineArn"],
                "name": request.get("Name"),
                "input": request.get("Input", "{}"),
            }
        )
        if status != 200:
            raise RuntimeError(f"StartExecution answered {status}: {body}")

    eventbridge._invoke_target = invoke


def _with_attributes(text, event):
    time = datetime.fromtimestamp(event["Time"], tz=timezone.utc).replace(second=0, microsecond=0)
    values = {
        "schedule-arn": (event.get("Resources") or [""])[0],
        "scheduled-time": time.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "execution-id": uuid.uuid4().hex[:16],
        "attempt-number": "1",
    }
    for name, value in values.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text


def add_replica_keys():
    def create(logical_id, props, stack_name):
        primary = props["PrimaryKeyArn"]
        own = get_region()
        with request_scope(get_account_id(), primary.split(":")[3]):
            policy = props.get("KeyPolicy")
            status, _, body = kms._replicate_key(
                {
                    "KeyId": primary,
                    "ReplicaRegion": own,
                    "Description": props.get("Description", ""),
                    "Policy": policy if isinstance(policy, str) else json.dumps(policy),
                    "Tags": provisioners._kms_tags(props),
                }
            )
        if status != 200:
            raise RuntimeError(f"AWS::KMS::ReplicaKey {logical_id}: {body}")
        key_id = primary.split("/")[-1]
        return key_id, {"KeyId": key_id, "Arn": f"arn:aws:kms:{own}:{get_account_id()}:key/{key_id}"}

    handlers = provisioners._RESOURCE_HANDLERS
    assert "AWS::KMS::ReplicaKey" not in handlers, "this MiniStack knows AWS::KMS::ReplicaKey itself"
    handlers["AWS::KMS::ReplicaKey"] = {"create": create, "delete": provisioners._kms_key_delete}


def add_region_of_stack_outputs():
    """The emulator looks for the other stack in the Region of the stack that asks."""
    resolve = engine._resolve_refs

    def resolve_in_region(value, *rest):
        asked = value.get("Fn::GetStackOutput") if isinstance(value, dict) else None
        region = asked.get("Region") if isinstance(asked, dict) else None
        if not isinstance(region, str):
            return resolve(value, *rest)
        with request_scope(get_account_id(), region):
            return resolve(value, *rest)

    # What is nested in a property is resolved through this name of the module.
    engine._resolve_refs = resolve_in_region


def add_closed_regions():
    import ministack.app
    from ministack.core.router import extract_region

    path = os.environ.get("HOLDFAST_CLOSED_REGIONS", "")
    serve = ministack.app.app

    async def app(scope, receive, send):
        if scope["type"] == "http" and os.path.exists(path):
            headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
            with open(path, encoding="utf-8") as file:
                closed = file.read().split()
            # Signed for one Region, so meant for its endpoint; what is not signed is a look at the emulator itself.
            if "authorization" in headers and extract_region(headers) in closed:
                await send({"type": "http.response.start", "status": 503, "headers": [(b"connection", b"close")]})
                await send({"type": "http.response.body", "body": b"this Region is closed"})
                return
        await serve(scope, receive, send)

    ministack.app.app = app


class Faults:
    """Errors that a test asks for, in the file HOLDFAST_FAULTS: a list of rules, of which each answers `times` times.

    A rule of an HTTP call has `target` (the header X-Amz-Target) or `method` and `path` (a regular expression), and
    `status`, `error`; one of a call by Step Functions has `function`, `error`, and `isAfter` when the function does its
    work and the answer is lost.
    """

    def __init__(self, path):
        self._path = path
        self._used = {}
        self._lock = threading.Lock()

    def note(self, function, error):
        """What Step Functions saw: the history has no events of a Map's children."""
        with self._lock, open(f"{self._path}.seen", "a", encoding="utf-8") as file:
            file.write(json.dumps({"function": function, "error": error}) + "\n")

    def take(self, fits):
        """The first rule that fits and has answers left; it has one less then."""
        try:
            with open(self._path, encoding="utf-8") as file:
                rules = json.load(file)
        except FileNotFoundError:
            return None
        with self._lock:
            for rule in rules:
                if fits(rule) and self._used.get(rule["id"], 0) < rule["times"]:
                    self._used[rule["id"]] = self._used.get(rule["id"], 0) + 1
                    return rule
        return None


def add_faults():
    import ministack.app

    faults = Faults(os.environ.get("HOLDFAST_FAULTS", ""))
    serve = ministack.app.app
    call = stepfunctions._call_lambda

    async def app(scope, receive, send):
        if scope["type"] != "http":
            return await serve(scope, receive, send)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}

        def fits(rule):
            if "target" in rule:
                return rule["target"] == headers.get("x-amz-target")
            return rule.get("method") == scope["method"] and re.search(rule["path"], scope["path"]) is not None

        rule = faults.take(fits)
        if rule is None:
            return await serve(scope, receive, send)
        error = rule["error"]
        is_json = "target" in rule
        body = (json.dumps({"__type": error, "message": "asked for by a test"}) if is_json
                else f"<Error><Code>{error}</Code><Message>asked for by a test</Message></Error>")
        kind = b"application/x-amz-json-1.1" if is_json else b"application/xml"
        await send({"type": "http.response.start", "status": rule["status"],
                    "headers": [(b"content-type", kind), (b"connection", b"close")]})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body.encode()})

    def call_lambda(func_ref, event):
        function = func_ref.split(":")[-1]
        rule = faults.take(lambda one: one.get("function") == function)
        try:
            if rule is None:
                return call(func_ref, event)
            if rule.get("isAfter"):
                call(func_ref, event)
            raise stepfunctions._ExecutionError(rule["error"], "asked for by a test")
        except stepfunctions._ExecutionError as error:
            if error.error == "Lambda.Unknown" and "TooManyRequestsException" in error.cause:
                error.error = "Lambda.TooManyRequestsException"
            faults.note(function, error.error)
            raise

    ministack.app.app = app
    stepfunctions._call_lambda = call_lambda


def add_all():
    add_universal_targets()
    add_replica_keys()
    add_closed_regions()
    add_faults()
    add_region_of_stack_outputs()
    conditions.add_conditions()
    alarms.add_alarms()
    memory.add_memory_limit()
    loglines.read_to_mark()
