"""The stack: configuration in, one connector per advertiser, outputs out."""

from typing import cast

import pulumi

from components.config import read_advertisers
from components.connector import TikTokActivationConnector, TikTokActivationConnectorArgs
from components.dashboard import make_dashboard
from components.package import handler_package

advertisers = read_advertisers(pulumi.Config().get_object("advertisers"))
package = str(handler_package())
connectors = {
    advertiser.name: TikTokActivationConnector(
        advertiser.name, cast("TikTokActivationConnectorArgs", {"package": package, **advertiser.settings})
    )
    for advertiser in advertisers
}
pulumi.export("advertisers", {name: connector.summary() for name, connector in connectors.items()})
if connectors:
    pulumi.export("dashboard", make_dashboard([connector.signals for connector in connectors.values()]))
