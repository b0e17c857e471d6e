"""What is said to every framework's models, and what the simulator makes of it."""

from __future__ import annotations

import base64

SYSTEM = "Answer as a gardener would."
TOLD = "Snow, -3 degrees."
CITY = "Describe Seoul."
AS_JSON = "Say it as JSON."
"""For modes that hold the model to nothing; the simulator has the answer from a script."""
CITY_JSON = '{"name": "Seoul", "people": 9586195, "rivers": ["Han"]}'
LIST_AS_JSON = "Say it as a list in JSON."
LIST_JSON = f'{{"tasks": [{CITY_JSON}]}}'
CORRECT_IT = ("JSON ONLY RESPONSE", "in the following attempt")
"""What Instructor says of an answer that does not hold, in these modes."""
PICTURE = base64.b64decode(
    b"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""A PNG of one point."""
LOOKED_AT = "Attachments received: 1 (image)."
