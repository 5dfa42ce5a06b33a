"""The resources of the connector in AWS, as a Pulumi component.

When it is installed from a checkout or a Git URL, this package is imported as `tiktok_activation`.
"""

from .connector import OptionError, TikTokActivationConnector, TikTokActivationConnectorArgs, UploadRoleArgs
from .dashboard import make_dashboard

__all__ = [
    "OptionError",
    "TikTokActivationConnector",
    "TikTokActivationConnectorArgs",
    "UploadRoleArgs",
    "make_dashboard",
]
