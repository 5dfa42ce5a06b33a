"""Creates the program's resources in the embedded AWS, with one function per kind of resource.

The arguments of each function are the clients, a physical name, and the inputs as Pulumi registers them (in camel case,
with numbers as floats). It returns the resource's id and its computed properties.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

Clients = Callable[[str], Any]
Inputs = Mapping[str, Any]
Created = tuple[str, dict[str, Any]]
Creator = Callable[[Clients, str, Inputs], Created]
# Names whose API spelling is not regular Pascal case.
_API_NAMES = {"id": "ID", "sseAlgorithm": "SSEAlgorithm", "kmsMasterKeyId": "KMSMasterKeyID", "kmsKeyArn": "KMSKeyArn"}


def create_resource(aws: Clients, kind: str, name: str, inputs: Inputs) -> Created:
    """Create a resource with the type token `kind`. `name` is its physical name unless the inputs have one."""
    if kind not in _CREATORS:
        raise NotImplementedError(f"The sandbox cannot create {kind} ({name}). Add it to sandbox/aws/resources.py.")
    return _CREATORS[kind](aws, name, inputs)


def _aws(value: Any) -> Any:
    """Return inputs in the form of the API: names in Pascal case, and integers instead of floats."""
    if isinstance(value, Mapping):
        return {_API_NAMES.get(key, key[:1].upper() + key[1:]): _aws(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_aws(entry) for entry in value]
    return int(value) if isinstance(value, float) and value == int(value) else value


def _arguments(inputs: Inputs, *omitted: str) -> dict[str, Any]:
    """Return the arguments of an API call: all inputs except the omitted ones and the tags."""
    arguments: dict[str, Any] = _aws({name: value for name, value in inputs.items() if name not in {*omitted, "tags"}})
    return arguments


def _tags(inputs: Inputs) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in inputs.get("tags", {}).items()]


def _key(aws: Clients, _: str, inputs: Inputs) -> Created:
    tags = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in _tags(inputs)]
    key = aws("kms").create_key(Description=inputs["description"], Tags=tags)["KeyMetadata"]
    if inputs.get("enableKeyRotation"):
        aws("kms").enable_key_rotation(KeyId=key["KeyId"])
    return key["KeyId"], {"arn": key["Arn"], "keyId": key["KeyId"]}


def _alias(aws: Clients, name: str, inputs: Inputs) -> Created:
    aws("kms").create_alias(AliasName=f"alias/{name}", TargetKeyId=inputs["targetKeyId"])
    return f"alias/{name}", {"name": f"alias/{name}"}


def _key_policy(aws: Clients, _: str, inputs: Inputs) -> Created:
    aws("kms").put_key_policy(KeyId=inputs["keyId"], PolicyName="default", Policy=inputs["policy"])
    return inputs["keyId"], {}


def _bucket(aws: Clients, name: str, inputs: Inputs) -> Created:
    name = inputs.get("bucket") or name
    region = aws("s3").meta.region_name
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    aws("s3").create_bucket(Bucket=name, **where)
    aws("s3").put_bucket_tagging(Bucket=name, Tagging={"TagSet": _tags(inputs)})
    return name, {"bucket": name, "arn": f"arn:aws:s3:::{name}"}


def _bucket_setting(
    operation: str, argument: str, convert: Callable[[Inputs], Inputs] = lambda inputs: inputs
) -> Creator:
    """Return a creator that passes `convert(inputs)` to the S3 call `operation` as the parameter named `argument`."""

    def put(aws: Clients, _: str, inputs: Inputs) -> Created:
        getattr(aws("s3"), operation)(Bucket=inputs["bucket"], **{argument: _arguments(convert(inputs), "bucket")})
        return inputs["bucket"], {}

    return put


def _bucket_policy(aws: Clients, _: str, inputs: Inputs) -> Created:
    # Only statements without conditions are used: moto ignores conditions, so a conditional Deny would deny everything.
    document = json.loads(inputs["policy"])
    document["Statement"] = [each for each in document["Statement"] if "Condition" not in each]
    if document["Statement"]:
        aws("s3").put_bucket_policy(Bucket=inputs["bucket"], Policy=json.dumps(document))
    return inputs["bucket"], {}


def _queue(aws: Clients, name: str, inputs: Inputs) -> Created:
    given = {
        "KmsMasterKeyId": inputs["kmsMasterKeyId"],
        "MessageRetentionPeriod": inputs["messageRetentionSeconds"],
        "VisibilityTimeout": inputs.get("visibilityTimeoutSeconds", 30),
        "RedrivePolicy": inputs.get("redrivePolicy", ""),
    }
    attributes = {attribute: str(_aws(value)) for attribute, value in given.items() if value != ""}
    url = aws("sqs").create_queue(QueueName=name, Attributes=attributes, tags=inputs.get("tags", {}))["QueueUrl"]
    arn = aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return url, {"name": name, "url": url, "arn": arn}


def _queue_attribute(attribute: str, name: str) -> Creator:
    """Return a creator that sets one attribute of a queue to the value of the input `name`."""

    def put(aws: Clients, _: str, inputs: Inputs) -> Created:
        aws("sqs").set_queue_attributes(QueueUrl=inputs["queueUrl"], Attributes={attribute: inputs[name]})
        return inputs["queueUrl"], {}

    return put


def _rule(aws: Clients, name: str, inputs: Inputs) -> Created:
    rule = aws("events").put_rule(Name=name, Tags=_tags(inputs), **_arguments(inputs))
    return name, {"name": name, "arn": rule["RuleArn"]}


def _target(aws: Clients, name: str, inputs: Inputs) -> Created:
    response = aws("events").put_targets(Rule=inputs["rule"], Targets=[{"Id": name, **_arguments(inputs, "rule")}])
    if response["FailedEntryCount"]:
        raise RuntimeError(f"EventBridge refused the target of the rule {inputs['rule']}: {response['FailedEntries']}")
    return name, {}


def _archive(aws: Clients, name: str, inputs: Inputs) -> Created:
    archive = aws("events").create_archive(ArchiveName=name, **_arguments(inputs, "kmsKeyIdentifier"))
    return name, {"name": name, "arn": archive["ArchiveArn"]}


def _schedule(aws: Clients, name: str, inputs: Inputs) -> Created:
    arguments = {"KmsKeyArn": inputs["kmsKeyArn"], **_arguments(inputs, "kmsKeyArn")}
    return name, {"name": name, "arn": aws("scheduler").create_schedule(Name=name, **arguments)["ScheduleArn"]}


def _role(aws: Clients, name: str, inputs: Inputs) -> Created:
    arguments = _arguments(inputs, "assumeRolePolicy")
    role = aws("iam").create_role(
        RoleName=name, AssumeRolePolicyDocument=inputs["assumeRolePolicy"], Tags=_tags(inputs), **arguments
    )
    return name, {"name": name, "arn": role["Role"]["Arn"]}


def _role_policy(aws: Clients, name: str, inputs: Inputs) -> Created:
    aws("iam").put_role_policy(RoleName=inputs["role"], PolicyName=name, PolicyDocument=inputs["policy"])
    return f"{inputs['role']}:{name}", {"name": name}


def _secret(aws: Clients, name: str, inputs: Inputs) -> Created:
    secret = aws("secretsmanager").create_secret(Name=name, Tags=_tags(inputs), **_arguments(inputs))
    return secret["ARN"], {"name": name, "arn": secret["ARN"]}


def _secret_version(aws: Clients, _: str, inputs: Inputs) -> Created:
    version = aws("secretsmanager").put_secret_value(SecretId=inputs["secretId"], SecretString=inputs["secretString"])
    return version["VersionId"], {}


def _log_group(aws: Clients, name: str, inputs: Inputs) -> Created:
    aws("logs").create_log_group(logGroupName=name, kmsKeyId=inputs["kmsKeyId"], tags=inputs.get("tags", {}))
    aws("logs").put_retention_policy(logGroupName=name, retentionInDays=_aws(inputs["retentionInDays"]))
    (group,) = aws("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return name, {"name": name, "arn": group["arn"].removesuffix(":*")}


def _function(aws: Clients, name: str, inputs: Inputs) -> Created:
    code = {"ZipFile": b"no zip: the package runs from its directory"}
    function = aws("lambda").create_function(
        FunctionName=name, Code=code, Tags=inputs.get("tags", {}), **_arguments(inputs, "code")
    )
    return name, {"name": name, "arn": function["FunctionArn"]}


def _event_source_mapping(aws: Clients, _: str, inputs: Inputs) -> Created:
    # The mapping is disabled, because otherwise moto would receive the messages.
    mapping = aws("lambda").create_event_source_mapping(Enabled=False, **_arguments(inputs))
    return mapping["UUID"], {"uuid": mapping["UUID"]}


def _alarm(aws: Clients, name: str, inputs: Inputs) -> Created:
    dimensions = [{"Name": key, "Value": value} for key, value in inputs["dimensions"].items()]
    aws("cloudwatch").put_metric_alarm(
        AlarmName=name, Dimensions=dimensions, Tags=_tags(inputs), **_arguments(inputs, "dimensions")
    )
    return name, {"name": name}


def _log_metric_filter(aws: Clients, name: str, inputs: Inputs) -> Created:
    metric = inputs["metricTransformation"]
    transformation = {f"metric{part.title()}": metric[part] for part in ("name", "namespace", "value")}
    arguments = {"logGroupName": inputs["logGroupName"], "filterPattern": inputs["pattern"]}
    aws("logs").put_metric_filter(filterName=name, metricTransformations=[transformation], **arguments)
    return name, {"name": name}


def _recursion_config(aws: Clients, _: str, inputs: Inputs) -> Created:  # noqa: ARG001 - moto has no such setting
    return inputs["functionName"], {}


def _dashboard(aws: Clients, _: str, inputs: Inputs) -> Created:
    aws("cloudwatch").put_dashboard(**_arguments(inputs))
    return inputs["dashboardName"], {}


def _topic(aws: Clients, name: str, inputs: Inputs) -> Created:
    attributes = {"KmsMasterKeyId": inputs["kmsMasterKeyId"]}
    arn = aws("sns").create_topic(Name=name, Attributes=attributes, Tags=_tags(inputs))["TopicArn"]
    return arn, {"name": name, "arn": arn}


def _topic_policy(aws: Clients, _: str, inputs: Inputs) -> Created:
    aws("sns").set_topic_attributes(TopicArn=inputs["arn"], AttributeName="Policy", AttributeValue=inputs["policy"])
    return inputs["arn"], {}


def _topic_subscription(aws: Clients, _: str, inputs: Inputs) -> Created:
    arguments = {"TopicArn": inputs["topic"], "Protocol": inputs["protocol"], "Endpoint": inputs["endpoint"]}
    return aws("sns").subscribe(**arguments, ReturnSubscriptionArn=True)["SubscriptionArn"], {}


_CREATORS: Mapping[str, Creator] = {
    "aws:cloudwatch/dashboard:Dashboard": _dashboard,
    "aws:cloudwatch/eventArchive:EventArchive": _archive,
    "aws:cloudwatch/eventRule:EventRule": _rule,
    "aws:cloudwatch/eventTarget:EventTarget": _target,
    "aws:cloudwatch/logGroup:LogGroup": _log_group,
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": _log_metric_filter,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _alarm,
    "aws:iam/role:Role": _role,
    "aws:iam/rolePolicy:RolePolicy": _role_policy,
    "aws:kms/alias:Alias": _alias,
    "aws:kms/key:Key": _key,
    "aws:kms/keyPolicy:KeyPolicy": _key_policy,
    "aws:lambda/eventSourceMapping:EventSourceMapping": _event_source_mapping,
    "aws:lambda/function:Function": _function,
    "aws:lambda/functionRecursionConfig:FunctionRecursionConfig": _recursion_config,
    "aws:s3/bucket:Bucket": _bucket,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _bucket_setting(
        "put_bucket_lifecycle_configuration", "LifecycleConfiguration"
    ),
    "aws:s3/bucketNotification:BucketNotification": _bucket_setting(
        "put_bucket_notification_configuration",
        "NotificationConfiguration",
        lambda inputs: {"eventBridgeConfiguration": {}} if inputs["eventbridge"] else {},
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _bucket_setting(
        "put_bucket_ownership_controls", "OwnershipControls", lambda inputs: {"rules": [inputs["rule"]]}
    ),
    "aws:s3/bucketPolicy:BucketPolicy": _bucket_policy,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _bucket_setting(
        "put_public_access_block", "PublicAccessBlockConfiguration"
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _bucket_setting(
        "put_bucket_encryption", "ServerSideEncryptionConfiguration"
    ),
    "aws:s3/bucketVersioning:BucketVersioning": _bucket_setting(
        "put_bucket_versioning", "VersioningConfiguration", lambda inputs: inputs["versioningConfiguration"]
    ),
    "aws:scheduler/schedule:Schedule": _schedule,
    "aws:secretsmanager/secret:Secret": _secret,
    "aws:secretsmanager/secretVersion:SecretVersion": _secret_version,
    "aws:sns/topic:Topic": _topic,
    "aws:sns/topicPolicy:TopicPolicy": _topic_policy,
    "aws:sns/topicSubscription:TopicSubscription": _topic_subscription,
    "aws:sqs/queue:Queue": _queue,
    "aws:sqs/queuePolicy:QueuePolicy": _queue_attribute("Policy", "policy"),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": _queue_attribute("RedriveAllowPolicy", "redriveAllowPolicy"),
}
