"""Two advertisers of one agency, each in a different region, with one token for both."""

import pulumi
import pulumi_aws as aws
from tiktok_activation import TikTokActivationConnector, make_dashboard

config = pulumi.Config()

connectors = []
for name, region, advertiser_id in (
    ("acme", "us-east-1", "7100000000000000001"),
    ("globex", "eu-west-1", "7100000000000000002"),
):
    provider = aws.Provider(region, region=region)
    # Each region has a secret for the app's ACCESS_TOKEN. A person stores the value.
    token = aws.secretsmanager.Secret(f"tiktok-app-{region}", opts=pulumi.ResourceOptions(provider=provider))
    connector = TikTokActivationConnector(
        name,
        credentials_secret_arn=token.arn,
        advertiser_id=advertiser_id,
        alarm_email=config.get("alarmEmail") or "data@agency.example",
        upload_role={"principals": ["arn:aws:iam::444455556666:root"], "external_id": f"{name}-4711"},
        opts=pulumi.ResourceOptions(providers=[provider]),
    )
    pulumi.export(name, {"upload_location": connector.upload_location, "upload_role_arn": connector.upload_role_arn})
    connectors.append(connector)

pulumi.export("dashboard", make_dashboard([connector.signals for connector in connectors]))
