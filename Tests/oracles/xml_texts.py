"""Prints XML documents, whole and damaged, and what expat makes of each; null where it refuses.

usage: xml_texts.py SEED COUNT
"""
import base64
import json
import random
import sys
from xml.parsers import expat

NAMES = ["a", "Item", "ns:Thing", "x-1", "_y", "é"]
TEXTS = ["", "text", "a &amp; b", "&#65;&#x1F98A;", "<![CDATA[<raw> & ]]>", "<!-- note -->", "<?pi data?>", "  \r\n\t",
         "日本", "&lt;&gt;&quot;&apos;", "]]", "-"]
VALUES = ["", "v", "a &amp; b", "tab\there", "é", "&#10;", "'", "&gt;"]
DAMAGE = list(b"<>&;\"'/=!?-[]: \n\tax0") + [0, 0xFF, 0xC3]


def element(rng, depth):
    name = rng.choice(NAMES)
    attributes = "".join(
        f"{rng.choice([' ', '  '])}{key}={rng.choice(['', ' '])}\"{rng.choice(VALUES)}\""
        for key in rng.sample(["k", "xsi:type", "xmlns", "xmlns:ns", "l"], rng.choice([0, 0, 1, 2])))
    if rng.random() < 0.2:
        return f"<{name}{attributes}{rng.choice(['', ' '])}/>"
    content = ""
    for _ in range(rng.choice([0, 1, 2, 3])):
        content += rng.choice(TEXTS) if depth > 4 or rng.random() < 0.5 else element(rng, depth + 1)
    return f"<{name}{attributes}>{content}</{name}{rng.choice(['', ' '])}>"


def document(rng):
    head = rng.choice(["", "", "<?xml version=\"1.0\"?>", "<?xml version='1.0' encoding='UTF-8' standalone=\"yes\" ?>\n",
                       "\ufeff", "<!-- c -->", " \n", "<!DOCTYPE a>", "<!DOCTYPE a [<!ENTITY b \"c\">]>"])
    text = (element(rng, 0) + rng.choice(["", "\n", "<!-- end -->", "tail"])).encode()
    # The head stays whole: of its own version number expat takes what XML does not allow.
    if rng.random() < 0.6:
        text = bytearray(text)
        for _ in range(rng.choice([1, 1, 2, 4])):
            place = rng.randrange(len(text))
            kind = rng.random()
            if kind < 0.4:
                text[place] = rng.choice(DAMAGE)
            elif kind < 0.7:
                del text[place:place + rng.choice([1, 1, 3])]
            else:
                text[place:place] = bytes([rng.choice(DAMAGE)])
            if not text:
                break
    return head.encode() + bytes(text)


class Refused(Exception):
    pass


def read(text):
    parser = expat.ParserCreate()
    stack = [{"children": []}]

    def start(name, attributes):
        node = {"name": name.partition(":")[2] if ":" in name else name, "text": "", "children": [],
                "attributes": sorted([k, v] for k, v in attributes.items() if k.partition(":")[0] != "xmlns")}
        stack[-1]["children"].append(node)
        stack.append(node)

    def characters(text):
        if not stack[-1]["children"]:
            stack[-1]["text"] += text

    def doctype(*_):
        raise Refused

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: stack.pop()
    parser.CharacterDataHandler = characters
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(text, True)
    except (expat.ExpatError, Refused):
        return None
    return stack[0]["children"][0]


rng = random.Random(sys.argv[1])
for _ in range(int(sys.argv[2])):
    text = document(rng)
    print(json.dumps({"text": base64.b64encode(text).decode(), "tree": read(text)}))
