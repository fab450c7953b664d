import HoldfastCore
import HoldfastJSON
import Testing

/// One line of a truth table: a predicate, a body, what the rule must say and what offends.
struct OperatorCase: Sendable, CustomTestStringConvertible {
    var expect: String
    var given: String
    var verdict: Verdict.Outcome
    var offending: [String]

    init(_ expect: String, _ given: String, _ verdict: Verdict.Outcome, _ offending: String...) {
        self.expect = expect
        self.given = given
        self.verdict = verdict
        self.offending = offending
    }
    var testDescription: String { "\(expect) on \(given)" }
}

@Suite("The operators of rules")
struct BaselineOperatorTests {
    static let scalars: [OperatorCase] = [
        .init("{Lid.Open: true}", "{Lid: {Open: true}}", .pass),
        .init("{Lid.Open: true}", "{Lid: {Open: 'true'}}", .pass),
        .init("{Lid.Open: true}", "{Lid: {Open: false}}", .drift, "Lid.Open"),
        .init("{Lid.Open: true}", "{Lid: {}}", .drift, "Lid.Open"),
        .init("{Lid.Open: true}", "{}", .drift, "Lid.Open"),
        .init("{Lid.Open: true}", "{Lid: unknown}", .unknown),
        .init(
            "{Lid: {Open: true, Colour: red}}", "{Lid: {Open: false, Colour: blue}}", .drift, "Lid.Colour", "Lid.Open"),
        .init("{Lid: {Open: true, Colour: red}}", "{Lid: {Open: unknown, Colour: blue}}", .drift, "Lid.Colour"),
        .init("{Lid: {Open: true, Colour: red}}", "{Lid: {Open: unknown, Colour: red}}", .unknown),
        .init("{Size: 1}", "{Size: 1.0}", .pass),
        .init("{Size: 1}", "{Size: '1'}", .pass),
        .init("{Size: '01'}", "{Size: '1'}", .drift, "Size"),
        .init("{Name: $$a}", "{Name: $a}", .pass),
        .init("{Name: {not: a}}", "{Name: a}", .drift, "Name"),
        .init("{Name: {not: a}}", "{}", .pass),
        .init("{Name: {not: a}}", "{Name: unknown}", .unknown),
        .init("{Name: {in: [a, b]}}", "{Name: b}", .pass),
        .init("{Name: {in: [a, b]}}", "{Name: c}", .drift, "Name"),
        .init("{Name: {in: $lists.words}}", "{Name: red}", .pass),
        .init("{Name: {in: [absent]}}", "{}", .drift, "Name"),
        .init("{Name: {in: [absent]}}", "{Name: absent}", .pass),
        .init("{Name: absent}", "{}", .pass),
        .init("{Name: absent}", "{Name: a}", .drift, "Name"),
        .init("{Name: absent}", "{Name: unknown}", .unknown),
        .init("{Name: present}", "{Name: ''}", .pass),
        .init("{Name: present}", "{}", .drift, "Name"),
        .init("{Words: present}", "{Words: []}", .pass),
        .init("{Words: present}", "{Words: [...]}", .unknown),
        .init("{Words: present}", "{Words: [a, ...]}", .pass),
        .init("{Words: empty}", "{}", .pass),
        .init("{Words: empty}", "{Words: []}", .pass),
        .init("{Words: empty}", "{Words: [...]}", .unknown),
        .init("{Words: empty}", "{Words: [a, ...]}", .drift, "Words"),
        .init("{Lid: empty}", "{Lid: {}}", .pass),
        .init("{Lid: empty}", "{Lid: {Open: unknown}}", .unknown),
        .init("{Size: {more-than: 2}}", "{Size: 3}", .pass),
        .init("{Size: {more-than: 3}}", "{Size: 3}", .drift, "Size"),
        .init("{Size: {less-than: 3}}", "{Size: 2.5}", .pass),
        .init("{Size: {less-than: 3}}", "{Size: 3}", .drift, "Size"),
        .init("{Size: {at-least: 3}}", "{Size: '3'}", .pass),
        .init("{Size: {at-least: 3}}", "{}", .drift, "Size"),
        .init("{Size: {at-most: 3}}", "{Size: 4}", .drift, "Size"),
        .init("{Size: {at-most: 3}}", "{Size: large}", .unknown),
        .init("{Name: {starts-with: ab}}", "{Name: abc}", .pass),
        .init("{Name: {starts-with: [x, ab]}}", "{Name: abc}", .pass),
        .init("{Name: {starts-with: b}}", "{Name: abc}", .drift, "Name"),
        .init("{Name: {ends-with: bc}}", "{Name: abc}", .pass),
        .init("{Name: {ends-with: b}}", "{Name: abc}", .drift, "Name"),
        .init("{Name: {matches: 'a*c'}}", "{Name: abbbc}", .pass),
        .init("{Name: {matches: 'a?c'}}", "{Name: aüc}", .pass),
        .init("{Name: {matches: 'a?c'}}", "{Name: ac}", .drift, "Name"),
        .init("{Name: {matches: 'a*'}}", "{Name: [ab]}", .unknown),
        .init("{Made: {older-than: 30d}}", "{Made: '2025-12-02T00:00:00Z'}", .pass),
        .init("{Made: {older-than: 30d}}", "{Made: '2025-12-03'}", .drift, "Made"),
        .init("{Made: {older-than: 30d}}", "{Made: 1600000000}", .pass),
        .init("{Made: {older-than: 30d}}", "{Made: yesterday}", .unknown),
        .init("{Made: {not: {older-than: 30d}}}", "{Made: unknown}", .unknown),
    ]

    static let combined: [OperatorCase] = [
        .init("{either: [{Size: 1}, {Name: a}]}", "{Size: 2, Name: a}", .pass),
        .init("{either: [{Size: 1}, {Name: a}]}", "{Size: 2, Name: b}", .drift, "Name", "Size"),
        .init("{either: [{Size: 1}, {Name: a}]}", "{Size: unknown, Name: a}", .pass),
        .init("{either: [{Size: 1}, {Name: a}]}", "{Size: unknown, Name: b}", .unknown),
        .init("{all-of: [{Size: 1}, {Name: a}]}", "{Size: 1, Name: a}", .pass),
        .init("{all-of: [{Size: 1}, {Name: a}]}", "{Size: unknown, Name: b}", .drift, "Name"),
        .init("{not: {Size: 1, Name: a}}", "{Size: 1, Name: a}", .drift, "Name", "Size"),
        .init("{not: {Size: 1, Name: a}}", "{Size: unknown, Name: b}", .pass),
        .init("{not: {either: [{Size: 1}, {Name: a}]}}", "{Size: unknown, Name: a}", .drift, "Name"),
        .init("{Size: {either: [{less-than: 2}, {more-than: 5}]}}", "{Size: 3}", .drift, "Size"),
        .init("{Size: {all-of: [{more-than: 2}, {less-than: 5}]}}", "{Size: 3}", .pass),
    ]

    static let lists: [OperatorCase] = [
        .init("{Items: {any: {Kind: x}}}", "{Items: [{Id: i, Kind: x}, ...]}", .pass),
        .init("{Items: {any: {Kind: x}}}", "{Items: [{Id: i, Kind: y}, ...]}", .unknown),
        .init("{Items: {any: {Kind: x}}}", "{Items: [{Id: i, Kind: y}]}", .drift, "Items"),
        .init("{Items: {any: {Kind: x}}}", "{}", .drift, "Items"),
        .init("{Items: {any: {Kind: x}}}", "{Items: [unknown, {Id: i, Kind: x}]}", .pass),
        .init("{Items: {none: {Kind: x}}}", "{}", .pass),
        .init("{Items: {none: {Kind: x}}}", "{Items: [...]}", .unknown),
        .init("{Items: {none: {Kind: x}}}", "{Items: [{Id: i, Kind: x}, {Id: j}, ...]}", .drift, "i"),
        .init("{Items: {none: {Kind: x}}}", "{Items: [{Id: i, Kind: unknown}]}", .unknown),
        .init("{Items: {all: {Kind: x}}}", "{Items: [{Id: i, Kind: x}]}", .pass),
        .init("{Items: {all: {Kind: x}}}", "{Items: [{Id: i, Kind: x}, ...]}", .unknown),
        .init("{Items: {all: {Kind: x}}}", "{Items: [{Id: i, Kind: x}, {Id: j}, {Id: k, Kind: y}]}", .drift, "j", "k"),
        .init("{Items: {all: {Kind: x}}}", "{Items: {Id: i, Kind: y}}", .drift, "Items"),
        .init("{Items: {not: {any: {Kind: x}}}}", "{Items: [{Id: i, Kind: x}]}", .drift, "i"),
        .init("{Items: {all: {Parts: {none: {Id: p}}}}}", "{Items: [{Id: i, Parts: [{Id: p}, {Id: q}]}]}", .drift, "p"),
        .init("{Items: {none: {Parts: {any: {Id: p}}}}}", "{Items: [{Id: i, Parts: [{Id: p}]}]}", .drift, "i"),
        .init("{'Items[].Kind': {all: {in: [x, y]}}}", "{Items: [{Id: i, Kind: z}]}", .drift, "Items[0].Kind"),
        .init(
            "{'Items[].Parts[].Id': {none: p}}", "{Items: [{Id: i, Parts: [{Id: p}]}]}", .drift,
            "Items[0].Parts[0].Id"),
        .init("{'Items[].Parts[].Id': {none: p}}", "{Items: [{Id: i, Parts: unknown}]}", .unknown),
        .init("{'Items[0].Kind': x}", "{Items: [{Id: i, Kind: x}]}", .pass),
        .init("{Words: {any: a}}", "{Words: [b, a]}", .pass),
        .init("{Words: {contains: a}}", "{Words: [b, a]}", .pass),
        .init("{Words: {contains: [c, a]}}", "{Words: [b, a, ...]}", .pass),
        .init("{Words: {contains: a}}", "{Words: [b, ...]}", .unknown),
        .init("{Words: {contains: a}}", "{Words: [b]}", .drift, "Words"),
        .init("{Words: {not: {contains: a}}}", "{Words: [b, a]}", .drift, "Words[1]"),
        .init("{Document.Action: {contains: '*'}}", "{Document: {Action: '*'}}", .pass),
        .init("{Document.Action: {contains: '*'}}", "{Document: {Action: 's3:*'}}", .drift, "Document.Action"),
        .init("{Words: {count: 2}}", "{Words: [a, b]}", .pass),
        .init("{Words: {count: 2}}", "{Words: [a, b, c, ...]}", .drift, "Words[0]", "Words[1]", "Words[2]"),
        .init("{Words: {count: 2}}", "{Words: [a, ...]}", .unknown),
        .init("{Words: {count: {at-least: 1}}}", "{Words: [a, ...]}", .pass),
        .init("{Words: {count: {at-least: 1}}}", "{Words: []}", .drift, "Words"),
        .init("{Words: {count: {at-most: 1}}}", "{Words: [unknown]}", .pass),
        .init(
            "{Items: {count: {where: {Kind: x}, at-most: 1}}}", "{Items: [{Id: i, Kind: x}, {Id: j, Kind: y}]}", .pass),
        .init(
            "{Items: {count: {where: {Kind: x}, at-most: 1}}}", "{Items: [{Id: i, Kind: x}, {Id: j, Kind: x}]}", .drift,
            "i", "j"),
        .init(
            "{Items: {count: {where: {Kind: x}, less-than: 2}}}", "{Items: [{Id: i, Kind: x}, {Id: j, Kind: unknown}]}",
            .unknown),
    ]

    static let ranges: [OperatorCase] = [
        .init("{Words: {reaches: internet}}", "{Words: [0.0.0.0/0]}", .pass),
        .init(
            "{Words: {not: {reaches: internet}}}", "{Words: [0.0.0.0/1, 10.0.0.0/8, 128.0.0.0/1]}", .drift, "Words[0]",
            "Words[2]"),
        .init("{Words: {not: {reaches: internet}}}", "{Words: ['::/0', 10.0.0.0/8]}", .drift, "Words[0]"),
        .init("{Words: {not: {reaches: internet}}}", "{Words: [10.0.0.0/8, sg-1]}", .pass),
        .init("{Words: {not: {reaches: internet}}}", "{Words: [10.0.0.0/8, ...]}", .unknown),
        .init("{Words: {not: {reaches: internet}}}", "{Words: [0.0.0.0/0, ...]}", .drift, "Words[0]"),
        .init(
            "{Items: {none: {Kind: {reaches: internet}, Weight: 1}}}",
            "{Items: [{Id: i, Kind: 0.0.0.0/1, Weight: 1}, {Id: j, Kind: 128.0.0.0/1, Weight: 1}]}", .drift, "i", "j"),
        .init(
            "{Items: {none: {Kind: {reaches: internet}, Weight: 1}}}",
            "{Items: [{Id: i, Kind: 0.0.0.0/1, Weight: 1}, {Id: j, Kind: 128.0.0.0/1, Weight: 2}]}", .pass),
        .init(
            "{Items: {none: {Kind: {reaches: internet}, Weight: 1}}}",
            "{Items: [{Id: i, Kind: 0.0.0.0/1, Weight: 1}, {Id: j, Kind: 128.0.0.0/1, Weight: unknown}]}", .unknown),
        .init("{Words: {cidr-within: 10.0.0.0/8}}", "{Words: [10.1.0.0/16]}", .pass),
        .init("{Words: {cidr-within: 10.0.0.0/8}}", "{Words: [10.1.0.0/16, 11.0.0.0/8, ...]}", .drift, "Words[1]"),
        .init("{Words: {cidr-within: 10.0.0.0/8}}", "{Words: [10.1.0.0/16, ...]}", .unknown),
        .init("{Words: {cidr-contains: 10.1.0.0/16}}", "{Words: [10.1.0.0/17, 10.1.128.0/17]}", .pass),
        .init("{Words: {cidr-contains: 10.1.0.0/16}}", "{Words: [10.1.0.0/17]}", .drift, "Words"),
        .init("{Words: {cidr-contains: 10.1.0.0/16}}", "{Words: [10.1.0.0/17, ...]}", .unknown),
        .init("{Name: {overlap: [22, 80-90]}}", "{Name: 85-100}", .pass),
        .init("{Name: {overlap: 22}}", "{Name: 23-30}", .drift, "Name"),
        .init("{Words: {not: {overlap: 22}}}", "{Words: [80, 20-25]}", .drift, "Words[1]"),
        .init("{Name: {outside: $lists.words}}", "{Name: green}", .pass),
        .init("{Name: {not: {outside: $lists.our-accounts}}}", "{Name: 'arn:aws:iam::111122223333:root'}", .pass),
        .init(
            "{Name: {not: {outside: $lists.our-accounts}}}", "{Name: 'arn:aws:iam::999900001111:root'}", .drift,
            "Name"),
        .init("{Name: {not: {outside: $lists.strangers}}}", "{Name: a}", .unknown),
        .init("{Name: {not: {outside: $lists.our-accounts}}}", "{Name: '*'}", .drift, "Name"),
        .init("{Name: {not: {outside: $lists.our-accounts}}}", "{Name: ec2.amazonaws.com}", .pass),
    ]

    @Test("Each operator says yes, no or that it does not know", arguments: scalars + combined + lists + ranges)
    func table(line: OperatorCase) throws {
        let verdict = try Toy.verdict(line.expect, on: line.given)
        #expect(verdict.outcome == line.verdict, "\(verdict.reason)")
        let found = verdict.offending.map { offending in
            line.offending.contains(offending.path.description) ? offending.path.description : offending.key ?? ""
        }
        #expect(found.sorted() == line.offending.sorted())
        #expect((verdict.outcome == .unknown) == !verdict.reason.isEmpty || verdict.outcome == .drift)
    }
}
