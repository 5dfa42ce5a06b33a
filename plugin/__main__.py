"""The plugin that makes the component available to programs in every Pulumi language."""

import sys
from pathlib import Path

from pulumi.provider.experimental import component_provider_host

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from components import TikTokActivationConnector

if __name__ == "__main__":
    component_provider_host(name="tiktok-activation", version="0.1.0", components=[TikTokActivationConnector])
