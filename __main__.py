"""The Pulumi program: reads the configuration, creates one connector per advertiser, and exports the outputs."""

from typing import cast

import pulumi

from components import TikTokActivationConnector, TikTokActivationConnectorArgs, make_dashboard
from components.config import read_advertisers, warnings

configured = pulumi.Config().get_object("advertisers")
advertisers = read_advertisers(configured)
for warning in warnings(configured, secret=pulumi.runtime.is_config_secret(f"{pulumi.get_project()}:advertisers")):
    pulumi.log.warn(warning)
connectors = {
    advertiser.name: TikTokActivationConnector(
        advertiser.name, cast("TikTokActivationConnectorArgs", advertiser.options)
    )
    for advertiser in advertisers
}
pulumi.export("advertisers", {name: connector.summary() for name, connector in connectors.items()})
if connectors:
    pulumi.export("dashboard", make_dashboard([connector.signals for connector in connectors.values()]))
