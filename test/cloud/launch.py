"""Starts MiniStack (an emulator of AWS that we did not write) with some answers made as AWS gives them.

Each replacement below is of one text in MiniStack's source that must occur exactly once, else the start fails: a new
version of MiniStack cannot silently lose one. What they mend is named beside each. Started by emulator.ts, which
sets the environment. Ends itself when its parent is gone, however that ended.

What MiniStack 1.5.33 still does otherwise than AWS (measured; matters to whoever writes a test against it):
- Step Functions: MaxConcurrencyPath ignored; a failed Parallel branch does not cancel its siblings; top-level
  TimeoutSeconds and HeartbeatSeconds ignored; a failing sync:2 child gives its own error name.
- S3: parts under 5 MiB are accepted; lifecycle is only stored; locks are forgotten at a restart.
- KMS: a tampered ciphertext decrypts; ReEncrypt and grants are absent.
- CloudFormation drops lifecycle, object lock, replication, SSE-KMS and tags of buckets.
"""

import importlib.abc
import importlib.machinery
import os
import shutil
import signal
import sys
import threading
import time

# (what is mended, text as it is, text as it shall be), by module.
REPLACEMENTS = {
    "ministack.core.lambda_runtime": [
        (
            "the name of an error that a Node function throws goes with its message, as in AWS's own runtime",
            """status: "error", error: String(err.message || err), trace: err.stack || \"\"""",
            """status: "error", error: String(err.message || err), errorType: err.name, trace: err.stack || \"\"""",
        ),
        (
            "all that a Node function has written is there before its answer is (loglines.py)",
            """        settled = true;
""",
            """        settled = true;
        _stderrWrite("\\x04end of call\\n");
""",
        ),
    ],
    "ministack.services.lambda_svc": [
        (
            "that name is the errorType of the answer, so that Retry and Catch match; a dead process is Runtime.ExitError",
            """            error_type = "Runtime.HandlerError"
            if _RIE_TIMEOUT_TEXT_RE.fullmatch(error_msg):
                error_type = "Sandbox.Timedout"
""",
            """            error_type = result.get("errorType") or (
                "Runtime.ExitError" if error_msg == "Worker process died" else "Runtime.HandlerError")
            if _RIE_TIMEOUT_TEXT_RE.fullmatch(error_msg):
                error_type = "Sandbox.Timedout"
""",
        ),
        (
            "the lines of its stack go with it, where hint and evidence of our errors are",
            """                "body": {
                    "errorMessage": error_msg,
                    "errorType": error_type,
                },
""",
            """                "body": {
                    "errorMessage": error_msg,
                    "errorType": error_type,
                    **({"trace": result["trace"].split("\\n")} if result.get("trace") else {}),
                },
""",
        ),
    ],
    "ministack.services.s3": [
        (
            "a replica has the version id of its original",
            """        version_id = new_uuid()
        obj["version_id"] = version_id
""",
            """        version_id = obj.pop("_version_to_have", None) or new_uuid()
        obj["version_id"] = version_id
""",
        ),
        (
            "the id is made before the replica is",
            """    replica = copy.deepcopy(obj)
    replica["replication_status"] = "REPLICA"
""",
            """    obj["_version_to_have"] = new_uuid()
    replica = copy.deepcopy(obj)
    replica["replication_status"] = "REPLICA"
""",
        ),
        (
            "a range of a version is that range, not all of it",
            """                body = _version_body(bucket, bucket_name, key, v)
                if body is None:
                    break
                return 200, resp_headers, body
""",
            """                body = _version_body(bucket, bucket_name, key, v)
                if body is None:
                    break
                if not headers.get("range"):
                    return 200, resp_headers, body
                rng = _parse_range(headers["range"], len(body))
                if rng is None:
                    return (416, {"Content-Type": "application/xml", "Content-Range": f"bytes */{len(body)}"},
                            _xml_body(_range_error_xml(bucket_name, key)))
                resp_headers = {k: h for k, h in resp_headers.items() if not k.startswith("x-amz-checksum-")}
                resp_headers["Content-Length"] = str(rng[1] + 1 - rng[0])
                resp_headers["Content-Range"] = f"bytes {rng[0]}-{rng[1]}/{len(body)}"
                return 206, resp_headers, body[rng[0]:rng[1] + 1]
""",
        ),
        (
            "tags, lock and kind of checksum that a multipart upload was begun with are remembered",
            """        "checksum_algorithm": checksum_algorithm,
        "created": now_iso(),
""",
            """        "checksum_algorithm": checksum_algorithm,
        "begun_with": dict(headers),
        "created": now_iso(),
""",
        ),
        (
            "a checksum over the whole object is compared where the upload asks for that kind",
            """    composite = _composite_checksum(checksum_algorithm, part_digests)
""",
            """    of_whole = upload["begun_with"].get("x-amz-checksum-type") == "FULL_OBJECT" and checksum_algorithm
    composite = (_compute_s3_checksum(checksum_algorithm, b"".join(combined_parts)) if of_whole
                 else _composite_checksum(checksum_algorithm, part_digests))
""",
        ),
        (
            "and told as that kind",
            """        "checksum_type": "COMPOSITE" if composite else None,
""",
            """        "checksum_type": ("FULL_OBJECT" if of_whole else "COMPOSITE") if composite else None,
""",
        ),
        (
            "the completed object has the tags and the lock that the upload was begun with, or the bucket's default lock",
            """    _maybe_replicate(bucket_name, key, obj, combined)
    version_id = _record_object_version(bucket_name, key, prior_obj, obj, combined)
""",
            """    begun_tags = {k: v[0] for k, v in _parse_qs(
        upload["begun_with"].get("x-amz-tagging", ""), keep_blank_values=True).items()}
    _maybe_replicate(bucket_name, key, obj, combined, begun_tags)
    version_id = _record_object_version(bucket_name, key, prior_obj, obj, combined)
    _apply_object_lock_from_headers(bucket_name, key, upload["begun_with"], obj.get("version_id"))
    if begun_tags:
        _object_tags[(bucket_name, key, obj.get("version_id"))] = begun_tags
""",
        ),
    ],
}


def follow_changes_to_replica(s3):
    """A replica has the tags, retention and legal hold of its original, also those set later (as on AWS)."""

    def mirror(bucket, key, version):
        rule, role = s3._replication_rule_for(bucket, key, s3._object_tags.get((bucket, key, version)))
        target = rule and s3._replication_destination(bucket, key, rule, role)
        if not target:
            return
        name, account, _ = target
        for of_version in (s3._object_tags, s3._object_retention, s3._object_legal_hold):
            value = of_version.get((bucket, key, version))
            with s3._in_account(account):
                if value is None:
                    of_version.pop((name, key, version), None)
                else:
                    of_version[(name, key, version)] = dict(value) if isinstance(value, dict) else value

    def followed(change):
        def changed(bucket, key, *rest, **named):
            answer = change(bucket, key, *rest, **named)
            record = s3._buckets.get(bucket)
            if answer[0] < 300 and record is not None:
                query = next((r for r in rest if isinstance(r, dict) and "versionId" in r), {})
                current = (record["objects"].get(key) or {}).get("version_id")
                mirror(bucket, key, s3._qp(query, "versionId", "") or current)
            return answer

        return changed

    for name in ("_put_object", "_complete_multipart_upload", "_put_object_tagging", "_delete_object_tagging",
                 "_put_object_retention", "_put_object_legal_hold"):
        setattr(s3, name, followed(getattr(s3, name)))


AFTERWARDS = {"ministack.services.s3": follow_changes_to_replica}


class MendingLoader(importlib.machinery.SourceFileLoader):
    def get_code(self, fullname):
        # Past the cache of compiled files, which has the source as it was.
        path = self.get_filename(fullname)
        source = self.get_data(path).decode("utf-8")
        for what, old, new in REPLACEMENTS.get(fullname, []):
            found = source.count(old)
            if found != 1:
                raise SystemExit(f"launch.py: {fullname}: found {found} times, not once, for: {what}")
            source = source.replace(old, new)
        return self.source_to_code(source.encode("utf-8"), path)

    def exec_module(self, module):
        super().exec_module(module)
        AFTERWARDS.get(module.__name__, lambda _: None)(module)


class MendingFinder(importlib.abc.MetaPathFinder):
    def find_spec(self, fullname, path, target=None):
        if fullname not in REPLACEMENTS:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None:
            spec.loader = MendingLoader(spec.loader.name, spec.loader.path)
        return spec


def end_with_parent():
    parent = os.getppid()

    def watch():
        while os.getppid() == parent:
            time.sleep(1)
        folder = os.environ.get("HOLDFAST_EMULATOR_FOLDER")
        if folder:
            shutil.rmtree(folder, ignore_errors=True)
        # emulator.ts makes us the leader of a group: our Lambda processes end too.
        if os.getpgrp() == os.getpid():
            os.killpg(os.getpgrp(), signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


if __name__ == "__main__":
    end_with_parent()
    sys.meta_path.insert(0, MendingFinder())
    for name in REPLACEMENTS:
        importlib.import_module(name)
    import extensions
    import policies
    from ministack.app import main

    extensions.add_all()
    policies.mend_policies()
    sys.argv = ["ministack"]
    main()
