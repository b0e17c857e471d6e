"""What is said to every framework's models, and what the simulator makes of it."""

from __future__ import annotations

import base64

SYSTEM = "Answer as a gardener would."
TOLD = "Snow, -3 degrees."
CITY = "Describe Seoul."
PICTURE = base64.b64decode(
    b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""A PNG of one point."""
LOOKED_AT = "Attachments received: 1 (image)."
