"""Configuration: one optional `madang.yaml`, read, checked and explained.

`schema.py` is what may be written; `load.py` is the way in; `errors.py` is what comes back when
it is wrong. In between: `document.py` reads YAML, `interpolate.py` fills in the environment,
`decode.py` compares with the schema, `checks.py` with the world.
"""
