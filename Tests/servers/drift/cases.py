"""What a drift is: planted by a provider's own client, and shown by it before the fix, after it and after its undo."""

CASES = {}


class Planted:
    """`name` is the resource's, or its whole id. `show()` gives what the provider's client reads of it, as JSON.
    `promised(before)` is what that must be after the fix. `days` is how much later it is looked at. `last` is the last
    observed state of a resource that is gone, by its type. `loses(state)` takes out of it what no undo brings back.
    `meddle()` changes something beside the fix, and `kept(before)` is what an undo must then leave."""

    def __init__(
        self,
        kind,
        name,
        show,
        promised,
        region="eu-west-1",
        rule=None,
        lists=None,
        days=0,
        gone=None,
        loses=None,
        account=None,
        meddle=None,
        kept=None,
    ):
        self.kind, self.name, self.show, self.promised = kind, name, show, promised
        self.region, self.rule, self.lists, self.days = region, rule, lists or {}, days
        # A resource that was there and is deleted before the drift is looked at: (type, name, delete).
        self.gone = gone
        self.loses = loses or (lambda state: state)
        self.account = account
        self.meddle, self.kept = meddle, kept


def case(playbook, variant="plain"):
    def register(plant):
        CASES.setdefault(playbook, {})[variant] = plant
        return plant

    return register


def but(state, /, **changes):
    """The state with some of its members changed."""
    return {**state, **changes}


def at(state, path, value):
    """The state with one value, deep in it, changed."""
    head, *rest = path
    inner = at(state[head], rest, value) if rest else value
    if isinstance(state, list):
        return [inner if index == head else element for index, element in enumerate(state)]
    return {**state, head: inner}
