import gc

from tests.journey.test_field_bugs_memory import *
from tests.journey.test_field_bugs_memory import all_kinds_of_calls, provider_says, settle


def test_find_what_holds(house, upstream, other):
    upstream.answer = other.answer = provider_says
    for n in range(60):
        all_kinds_of_calls(house, n)
    upstream.heard.clear()
    other.heard.clear()
    settle(house)
    objs = [o for o in gc.get_objects() if isinstance(o, dict) and set(o) == {"n"}]
    print("META", len(objs), [o for o in objs][:5])
    from collections import Counter

    before = Counter(type(o).__name__ for o in gc.get_objects())
    for n in range(100, 200):
        all_kinds_of_calls(house, n)
    upstream.heard.clear()
    other.heard.clear()
    settle(house)
    after = Counter(type(o).__name__ for o in gc.get_objects())
    print("GREW", {k: v - before[k] for k, v in after.items() if v - before[k] > 5})
