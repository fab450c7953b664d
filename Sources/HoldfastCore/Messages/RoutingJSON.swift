package import HoldfastJSON

extension Routing.State {
    /// For the journal.
    package var json: JSON { .object(JSONObject(channels.sorted { $0.key < $1.key }.map { ($0.key, $0.value.json) })) }

    /// Reads ``json``; `nil` where a part is missing.
    package init?(json: JSON) {
        guard let object = json.object else { return nil }
        for member in object.members {
            guard let channel = Routing.ChannelState(json: member.value) else { return nil }
            channels[member.name] = channel
        }
    }
}

extension Routing.ChannelState {
    fileprivate var json: JSON {
        [
            "groups": .array(groups.map(\.json)), "digest": digest?.json ?? .null,
            "made": .array(made.map { .string($0.description) }), "number": .number(JSONNumber(number)),
        ]
    }

    fileprivate init?(json: JSON) {
        guard let groups = json["groups"]?.array, let made = json["made"]?.array, let number = json["number"]?.int,
            let digest = json["digest"]
        else { return nil }
        self.groups = groups.compactMap(Routing.Group.init(json:))
        self.made = made.compactMap { $0.string.flatMap { Timestamp($0) } }
        self.number = number
        if !digest.isNull { self.digest = Routing.Digest(json: digest) }
    }
}

extension Routing.Group {
    fileprivate var json: JSON {
        [
            "what": .string(key.what), "environment": .string(key.environment), "actor": .string(key.actor),
            "action": .string(key.action), "kind": .string(kind.rawValue), "severity": .string(severity.rawValue),
            "title": .string(title), "type": .string(type), "count": .number(JSONNumber(count)),
            "names": .array(names.map(JSON.string)), "findings": .array(findings.map(JSON.string)),
            "first": .string(first.description), "last": .string(last.description),
        ]
    }

    fileprivate init?(json: JSON) {
        func text(_ name: String) -> String { json[name]?.string ?? "" }
        func texts(_ name: String) -> [String] { json[name]?.array?.compactMap(\.string) ?? [] }
        guard let kind = Message.Kind(rawValue: text("kind")), let severity = Severity(rawValue: text("severity")),
            let first = Timestamp(text("first")), let last = Timestamp(text("last"))
        else { return nil }
        self.init(
            key: Key(
                what: text("what"), environment: text("environment"), actor: text("actor"), action: text("action")),
            kind: kind, severity: severity, title: text("title"), type: text("type"), count: json["count"]?.int ?? 1,
            names: texts("names"), findings: texts("findings"), first: first, last: last)
    }
}

extension Routing.Digest {
    fileprivate var json: JSON {
        [
            "rows": .array(
                rows.map { row in
                    [
                        "what": .string(row.what), "environment": .string(row.environment),
                        "title": .string(row.title), "severity": .string(row.severity.rawValue),
                        "count": .number(JSONNumber(row.count)),
                    ]
                }),
            "others": .number(JSONNumber(others)), "due": .string(due.description),
        ]
    }

    fileprivate init?(json: JSON) {
        guard let due = json["due"]?.string.flatMap({ Timestamp($0) }) else { return nil }
        self.init(due: due)
        others = json["others"]?.int ?? 0
        rows = (json["rows"]?.array ?? []).map { row in
            Row(
                what: row["what"]?.string ?? "", environment: row["environment"]?.string ?? "",
                title: row["title"]?.string ?? "", severity: row["severity"]?.string.flatMap(Severity.init) ?? .high,
                count: row["count"]?.int ?? 1)
        }
    }
}
