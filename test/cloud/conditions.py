"""Condition keys that MiniStack does not give to its IAM, and Holdfast's policies ask for. Listed in docs/fidelity.md.

* KMS: kms:EncryptionContext:<key>, of Encrypt, Decrypt and GenerateDataKey.
* S3: s3:RequestObjectTag/<tag> and s3:ExistingObjectTag/<tag> of writes, s3:if-none-match, s3:ObjectCreationOperation.
* SSM: the resource of GetParametersByPath is its path.

Keys and names only: what is allowed is decided by MiniStack's own evaluator. That PutObject with tags
needs s3:PutObjectTagging too is not checked here.
"""

import json
from urllib.parse import parse_qsl
from xml.etree import ElementTree

from ministack.core import iam_actions
from ministack.services import s3


def add_conditions():
    of_body = iam_actions.request_tag_context
    of_object = iam_actions.s3_service_context

    def request_tag_context(service, iam_action, body, params):
        context = of_body(service, iam_action, body, params)
        if service == "kms":
            context.update(_encryption_context(body))
        if iam_action == "s3:PutObjectTagging":
            context.update(_request_tags(_tags_of_xml(body)))
        return context

    def s3_service_context(iam_action, query_params, path="", headers=None):
        context = of_object(iam_action, query_params, path, headers)
        query, headers = query_params or {}, headers or {}
        bucket, _, key = path.lstrip("/").partition("/")
        if iam_action == "s3:PutObject" and key:
            context.update(_request_tags(parse_qsl(headers.get("x-amz-tagging", ""), keep_blank_values=True)))
            # Neither the beginning of a multipart upload nor its parts make an object; the end of it does.
            is_creation = "uploads" not in query and "partNumber" not in query
            context["s3:ObjectCreationOperation"] = str(is_creation).lower()
            if headers.get("if-none-match"):
                context["s3:if-none-match"] = headers["if-none-match"]
        if iam_action in ("s3:PutObject", "s3:PutObjectTagging") and key:
            for name, value in s3.object_tags_for_condition(bucket, key, query).items():
                context[f"s3:ExistingObjectTag/{name}"] = value
        return context

    resource_of = iam_actions.extract_resource_arn

    def extract_resource_arn(service, method, path, headers, body, query, region, account):
        if service == "ssm" and headers.get("x-amz-target", "").endswith(".GetParametersByPath"):
            return f"arn:aws:ssm:{region}:{account}:parameter{json.loads(body)['Path']}"
        return resource_of(service, method, path, headers, body, query, region, account)

    iam_actions.extract_resource_arn = extract_resource_arn
    iam_actions.request_tag_context = request_tag_context
    iam_actions.s3_service_context = s3_service_context


def _encryption_context(body):
    try:
        data = json.loads(body or b"{}")
    except ValueError:
        return {}
    return {f"kms:EncryptionContext:{key}": value for key, value in (data.get("EncryptionContext") or {}).items()}


def _request_tags(pairs):
    return {f"s3:RequestObjectTag/{name}": value for name, value in pairs}


def _tags_of_xml(body):
    tags = [tag for tag in ElementTree.fromstring(body).iter() if tag.tag.endswith("Tag")]
    return [tuple("".join(part.itertext()) for part in tag) for tag in tags]
