"""The overlay against a plain copy of its base."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chatcore.room.layers import Layer

KEYS = st.integers(0, 6)
VALUES = st.one_of(st.none(), st.integers(0, 3))


class LayerMachine(RuleBasedStateMachine):
    """Layers upon layers: each behaves as a copy of the one below, which never changes."""

    @initialize(base=st.dictionaries(KEYS, VALUES))
    def begin(self, base: dict[int, int | None]) -> None:
        self.below: list[tuple[dict[int, int | None] | Layer[int, int | None], dict[int, int | None]]] = []
        self.below.append((base, dict(base)))
        self.copy = dict(base)
        self.layer: Layer[int, int | None] = Layer(base)

    @rule(key=KEYS, value=VALUES)
    def put(self, key: int, value: int | None) -> None:
        self.layer[key] = value
        self.copy[key] = value

    @rule(key=KEYS)
    def delete(self, key: int) -> None:
        outcomes: list[bool] = []
        for table in (self.layer, self.copy):
            try:
                del table[key]
            except KeyError:
                outcomes.append(False)
            else:
                outcomes.append(True)
        assert outcomes[0] == outcomes[1]

    @rule(key=KEYS)
    def pop(self, key: int) -> None:
        assert self.layer.pop(key, -1) == self.copy.pop(key, -1)

    @rule()
    def clear(self) -> None:
        self.layer.clear()
        self.copy.clear()

    @rule()
    def fork(self) -> None:
        if len(self.below) < 3:
            self.below.append((self.layer, dict(self.copy)))
            self.layer = Layer(self.layer)

    @invariant()
    def same(self) -> None:
        assert dict(self.layer) == self.copy
        assert len(self.layer) == len(list(self.layer)) == len(self.copy)
        assert sorted(self.layer) == sorted(self.copy)
        for key in range(8):
            assert (key in self.layer) == (key in self.copy)
            assert self.layer.get(key, -1) == self.copy.get(key, -1)

    @invariant()
    def what_is_below_never_changes(self) -> None:
        for table, as_it_was in self.below:
            assert dict(table) == as_it_was


TestLayer = LayerMachine.TestCase
TestLayer.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)


@given(st.dictionaries(KEYS, VALUES), st.dictionaries(KEYS, VALUES))
def test_update_is_that_of_a_dict(base: dict[int, int | None], changes: dict[int, int | None]) -> None:
    layer: Layer[int, int | None] = Layer(base)
    layer.update(changes)
    assert dict(layer) == {**base, **changes}


def test_an_erased_value_is_a_value() -> None:
    layer: Layer[str, None] = Layer({"u_1": None})
    assert "u_1" in layer
    assert layer["u_1"] is None
    del layer["u_1"]
    assert "u_1" not in layer
    layer["u_1"] = None
    assert "u_1" in layer
