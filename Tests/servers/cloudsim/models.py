"""Bodies held against the models of the azure-mgmt packages, where these are installed."""

import importlib
import re


def problems(package, name, body):
    """What in a body the model does not have, or has of another type; `[]` where the package is not installed."""
    try:
        models = importlib.import_module(package + ".models")
    except ImportError:
        return []
    return list(of_class(getattr(models, name), body, name, models._models))


def of_class(model, body, place, module):
    if not isinstance(body, dict):
        yield f"{place} is {type(body).__name__}, and not a map"
        return
    model({})  # the first one makes the table of fields
    fields = {field._rest_name: (attribute, field) for attribute, field in model._attr_to_rest_field.items()}
    hints = {}
    for part in reversed(model.__mro__):
        hints.update(getattr(part, "__annotations__", {}))
    for key, value in body.items():
        if key not in fields:
            yield f"{place}.{key} is not in the model"
        else:
            yield from of_hint(str(hints[fields[key][0]]), value, f"{place}.{key}", module)


def of_hint(hint, value, place, module):
    """`Optional["_models.NetworkRuleSet"]`, `list[str]`, `dict[str, …]`, `Union[str, "_models.State"]`."""
    if value is None:
        return
    hint = re.sub(r"ForwardRef\(([^)]*)\)", r"\1", hint).replace("typing.", "").replace("'", "").replace('"', "")
    if match := re.fullmatch(r"Optional\[(.*)\]", hint):
        hint = match[1]
    if match := re.fullmatch(r"(?:list|List)\[(.*)\]", hint):
        if not isinstance(value, list):
            yield f"{place} is {type(value).__name__}, and not a list"
            return
        for index, element in enumerate(value):
            yield from of_hint(match[1], element, f"{place}[{index}]", module)
    elif match := re.fullmatch(r"_models\.(\w+)", hint):
        yield from of_class(getattr(module, match[1]), value, place, module)
    elif hint.startswith(("dict[", "Dict[")):
        if not isinstance(value, dict):
            yield f"{place} is {type(value).__name__}, and not a map"
    else:
        plain = {"bool": bool, "int": int, "str": str}.get(hint) or (str if hint.startswith("Union[str") else None)
        wrong = plain and (not isinstance(value, plain) or plain is int and isinstance(value, bool))
        if wrong:
            yield f"{place} is {value!r}, and not of type {plain.__name__}"
