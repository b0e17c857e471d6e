"""The providers: doors to models. `base.py` says what one is, `compatible.py` lists them."""
