"""The stack: configuration in, one connector per advertiser, outputs out."""

import pulumi

from components.config import read_advertisers
from components.connector import TikTokActivationConnector
from components.package import handler_package

advertisers = read_advertisers(pulumi.Config().get_object("advertisers"))
package = str(handler_package())
connectors = {
    advertiser.name: TikTokActivationConnector(advertiser.name, {"package": package, **advertiser.settings})
    for advertiser in advertisers
}
pulumi.export("advertisers", {name: connector.summary() for name, connector in connectors.items()})
