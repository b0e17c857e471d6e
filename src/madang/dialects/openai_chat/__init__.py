"""OpenAI's chat completions, on the wire.

Source: OpenAI's API reference, "Chat Completions" and "Streaming", and the recordings in
`shared/recordings`. `requests.py`, `responses.py` (with errors), `streams.py`: parse beside render.
"""
