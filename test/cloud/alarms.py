"""What MiniStack lacks for alarms, added from outside. Each is listed in docs/fidelity.md.

* CloudWatch: log lines of functions in the embedded metric format are metrics.
* Alarms look at the metric with their dimensions (MiniStack: all of its name), period by period, and treat missing data
  as they say; they are evaluated when somebody asks for their state. A test may set the clock of metrics and
  alarms ahead.
* CloudTrail: calls that change keys and buckets, and deletes of objects, are events of EventBridge.
* EventBridge counts the calls of a rule's targets (AWS/Events Invocations).

Nothing here answers in the place of Holdfast's own code.
"""
import json
import os
import re
import time
import urllib.parse
import uuid

from ministack.core.responses import get_account_id, get_region, request_scope
from ministack.services import cloudwatch, eventbridge, lambda_svc


def _clock_ahead():
    try:
        with open(f"{os.environ['HOLDFAST_FAULTS']}.clock-ahead", encoding="utf-8") as file:
            return float(file.read())
    except (KeyError, FileNotFoundError):
        return 0.0


def _record(namespace, name, value, unit, dimensions):
    cloudwatch.record_metric(namespace, name, value, unit, dimensions)
    point = cloudwatch._metric_bucket((namespace, name, cloudwatch._dims_key(dimensions)))[-1]
    point["Timestamp"] += _clock_ahead()


def add_embedded_metrics():
    emit = lambda_svc._emit_lambda_logs

    def emit_logs(func, request_id, log_text, *rest, **named):
        emit(func, request_id, log_text, *rest, **named)
        for line in (log_text or "").splitlines():
            if '"_aws"' not in line or not line.startswith("{"):
                continue
            document = json.loads(line)
            for directive in document["_aws"]["CloudWatchMetrics"]:
                for dimensions in directive["Dimensions"]:
                    for metric in directive["Metrics"]:
                        values = document[metric["Name"]]
                        for value in values if isinstance(values, list) else [values]:
                            _record(directive["Namespace"], metric["Name"], value, metric.get("Unit", "None"),
                                    {name: document[name] for name in dimensions})

    lambda_svc._emit_lambda_logs = emit_logs


def _is_breaching(value, alarm):
    threshold = alarm["Threshold"]
    return {
        "GreaterThanOrEqualToThreshold": value >= threshold,
        "GreaterThanThreshold": value > threshold,
        "LessThanThreshold": value < threshold,
        "LessThanOrEqualToThreshold": value <= threshold,
    }[alarm["ComparisonOperator"]]


def evaluate(alarm):
    """Periods end now, so that a test waits for none."""
    dimensions = cloudwatch._dims_key({it["Name"]: it["Value"] for it in alarm.get("Dimensions") or []})
    points = cloudwatch._metrics.get((alarm["Namespace"], alarm["MetricName"], dimensions)) or []
    now, period = time.time() + _clock_ahead(), alarm["Period"]
    bad, seen = 0, 0
    for index in range(alarm["EvaluationPeriods"]):
        end = now - index * period
        own = [point for point in points if end - period < point["Timestamp"] <= end]
        if own:
            seen += 1
            value = cloudwatch._stat_value(cloudwatch._calc_stats(own), alarm["Statistic"], own)
            bad += _is_breaching(value, alarm)
        elif alarm.get("TreatMissingData", "missing") == "breaching":
            bad += 1
    if seen == 0 and alarm.get("TreatMissingData", "missing") in ("missing", "ignore"):
        return
    new = "ALARM" if bad >= alarm.get("DatapointsToAlarm", alarm["EvaluationPeriods"]) else "OK"
    old = alarm["StateValue"]
    if old == new:
        return
    reason = f"{bad} of {alarm['EvaluationPeriods']} periods are bad; {seen} have data"
    alarm.update(StateValue=new, StateReason=reason, StateUpdatedTimestamp=int(time.time()))
    cloudwatch._record_history(alarm["AlarmName"], old, new, reason)
    cloudwatch._dispatch_alarm_actions(alarm, old, new, reason)


def add_evaluation():
    describe = cloudwatch._describe_alarms

    def describe_alarms(*arguments, **named):
        cloudwatch._evaluate_all_alarms()
        return describe(*arguments, **named)

    cloudwatch._evaluate_alarm = evaluate
    cloudwatch._describe_alarms = describe_alarms


KMS_CALLS = {"TrentService.DisableKey", "TrentService.EnableKey", "TrentService.ScheduleKeyDeletion",
             "TrentService.CancelKeyDeletion", "TrentService.PutKeyPolicy", "TrentService.UpdatePrimaryRegion"}
# As CloudTrail names them.
BUCKET_CALLS = {"lifecycle": "BucketLifecycle", "replication": "BucketReplication", "versioning": "BucketVersioning",
                "policy": "BucketPolicy", "object-lock": "BucketObjectLockConfiguration"}


def _call_of(method, path, query, headers, body):
    """Service, name, parameters and resources of a call that CloudTrail is asked to log; None for all others."""
    target = headers.get("x-amz-target", "")
    if target in KMS_CALLS:
        key = json.loads(body or b"{}").get("KeyId", "")
        arn = key if key.startswith("arn:") else f"arn:aws:kms:{get_region()}:{get_account_id()}:key/{key}"
        resources = [{"ARN": arn, "type": "AWS::KMS::Key", "accountId": get_account_id()}]
        return "kms", target.split(".")[1], {"keyId": key}, resources
    parts = urllib.parse.unquote(path).lstrip("/").split("/", 1)
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{2,62}", parts[0]):
        return None
    resources = [{"ARN": f"arn:aws:s3:::{parts[0]}", "type": "AWS::S3::Bucket", "accountId": get_account_id()}]
    parameters = {"bucketName": parts[0]}
    words = {pair.split("=")[0] for pair in query.split("&")}
    if len(parts) == 2 and parts[1]:
        if method != "DELETE" or words & {"tagging", "uploadId"}:
            return None
        return "s3", "DeleteObject", {**parameters, "key": parts[1]}, resources
    if method == "POST" and "delete" in words:
        return "s3", "DeleteObjects", parameters, resources
    for word, name in BUCKET_CALLS.items():
        if word in words and method in ("PUT", "DELETE"):
            return "s3", f"{'Put' if method == 'PUT' else 'Delete'}{name}", parameters, resources
    return None


def _tell(service, name, parameters, resources, status):
    denied = {"errorCode": "AccessDenied", "errorMessage": "Access Denied"} if status == 403 else {}
    detail = {
        "eventVersion": "1.11", "eventSource": f"{service}.amazonaws.com", "eventName": name,
        "eventTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "awsRegion": get_region(),
        "sourceIPAddress": "127.0.0.1", "eventID": str(uuid.uuid4()), "eventType": "AwsApiCall",
        "userIdentity": {"type": "Root", "arn": f"arn:aws:iam::{get_account_id()}:root"},
        "requestParameters": parameters, "resources": resources, "readOnly": False, **denied,
    }
    entry = {"Source": f"aws.{service}", "DetailType": "AWS API Call via CloudTrail", "Detail": json.dumps(detail)}
    eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)


def add_trail():
    import ministack.app
    from ministack.core.router import extract_region

    serve = ministack.app.app

    async def app(scope, receive, send):
        method = scope.get("method")
        if scope["type"] != "http" or method not in ("PUT", "POST", "DELETE"):
            return await serve(scope, receive, send)
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        is_kms = headers.get("x-amz-target") in KMS_CALLS
        body, status = [], []

        async def heard():
            message = await receive()
            if is_kms:
                body.append(message.get("body", b""))
            return message

        async def said(message):
            if message["type"] == "http.response.start":
                status.append(message["status"])
            await send(message)

        await serve(scope, heard, said)
        # Requests without a signature look at the emulator itself. An account is the key's id here.
        if "authorization" not in headers or not status or status[0] >= 500:
            return
        if not is_kms and "s3/aws4_request" not in headers["authorization"]:
            return
        with request_scope(os.environ["MINISTACK_ACCOUNT_ID"], extract_region(headers)):
            call = _call_of(method, scope["path"], scope["query_string"].decode("latin-1"), headers, b"".join(body))
            if call is not None:
                _tell(*call, status[0])

    ministack.app.app = app


def count_invocations():
    invoke = eventbridge._invoke_target

    def invoke_target(target, event, rule, view=None):
        if rule is not None and rule.get("Name"):
            _record("AWS/Events", "Invocations", 1, "Count", {"RuleName": rule["Name"]})
        return invoke(target, event, rule, view)

    eventbridge._invoke_target = invoke_target


def add_alarms():
    add_embedded_metrics()
    add_evaluation()
    add_trail()
    count_invocations()
