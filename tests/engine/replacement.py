"""The inputs whose change makes the AWS provider replace a resource, for the kinds that this project uses.

From the provider's documentation ("Forces new resource", "Changing this forces replacement"):
https://www.pulumi.com/registry/packages/aws/api-docs
"""

from __future__ import annotations

from collections.abc import Mapping

REPLACED_BY: Mapping[str, frozenset[str]] = {
    kind: frozenset(names.split())
    for kind, names in {
        "aws:cloudwatch/dashboard:Dashboard": "dashboardName",
        "aws:cloudwatch/eventArchive:EventArchive": "name eventSourceArn",
        "aws:cloudwatch/eventRule:EventRule": "name namePrefix eventBusName",
        "aws:cloudwatch/eventTarget:EventTarget": "rule targetId eventBusName",
        "aws:cloudwatch/logGroup:LogGroup": "name namePrefix logGroupClass",
        "aws:cloudwatch/logMetricFilter:LogMetricFilter": "name logGroupName",
        "aws:cloudwatch/metricAlarm:MetricAlarm": "name",
        "aws:iam/role:Role": "name namePrefix path",
        "aws:iam/rolePolicy:RolePolicy": "name namePrefix role",
        "aws:kms/alias:Alias": "name namePrefix",
        "aws:kms/key:Key": "customerMasterKeySpec keyUsage multiRegion customKeyStoreId xksKeyId",
        "aws:kms/keyPolicy:KeyPolicy": "keyId",
        "aws:lambda/eventSourceMapping:EventSourceMapping": "eventSourceArn startingPosition",
        "aws:lambda/function:Function": "name packageType",
        "aws:lambda/functionRecursionConfig:FunctionRecursionConfig": "functionName",
        "aws:s3/bucket:Bucket": "bucket bucketPrefix bucketNamespace objectLockEnabled",
        "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": "bucket expectedBucketOwner",
        "aws:s3/bucketNotification:BucketNotification": "bucket",
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls": "bucket",
        "aws:s3/bucketPolicy:BucketPolicy": "bucket",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": "bucket",
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
            "bucket expectedBucketOwner"
        ),
        "aws:s3/bucketVersioning:BucketVersioning": "bucket expectedBucketOwner",
        "aws:scheduler/schedule:Schedule": "name namePrefix groupName",
        "aws:secretsmanager/secret:Secret": "name namePrefix",
        "aws:secretsmanager/secretVersion:SecretVersion": "secretId secretString secretBinary",
        "aws:sns/topic:Topic": "name namePrefix fifoTopic",
        "aws:sns/topicPolicy:TopicPolicy": "arn",
        "aws:sns/topicSubscription:TopicSubscription": "topic protocol endpoint",
        "aws:sqs/queue:Queue": "name namePrefix fifoQueue",
        "aws:sqs/queuePolicy:QueuePolicy": "queueUrl",
        "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": "queueUrl",
    }.items()
}
