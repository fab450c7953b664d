package import HoldfastJSON

/// A type of resource, as a catalog file declares it.
package struct ResourceType: Sendable {
    package enum Scope: String, Sendable, CaseIterable {
        case global, regional, zonal
    }
    /// From this type to another (`by` is a path here that holds the other's id or name) or from another to this one
    /// (`by` is a path there that holds this one's).
    package struct Relation: Sendable {
        package var name: String
        /// The type at the other end.
        package var type: String
        package var by: PropertyPath
        /// `by` is a path of the other type.
        package var isReverse: Bool
        package init(name: String, type: String, by: PropertyPath, isReverse: Bool) {
            self.name = name
            self.type = type
            self.by = by
            self.isReverse = isReverse
        }
    }

    package var name: String
    package var cloud: Cloud
    /// The catalog file's name: `aws/s3`.
    package var service: String
    /// The canonical id with variables: `arn:{partition}:s3:::{BucketName}`.
    package var id: IDTemplate
    package var example: String
    package var scope: Scope
    /// Every property path that the type has, as text without indexes (`SecurityGroupIngress[].CidrIp`); a prefix of
    /// one is a path too. What stands below a path that ends in `.*` is free (a policy document, tags).
    package var paths: Set<String>
    package var secret: [PropertyPath]
    /// The list's path -> the names in an element that make its key.
    package var listKeys: [PropertyPath: [String]]
    package var relations: [String: Relation]
    package var read: [String]
    package var list: String?
    /// How long after a write a read may still be stale.
    package var consistency: Span
    /// Known states for tests, by name; unique over the whole catalog.
    package var samples: [String: JSON]
    package var place: SourcePlace

    package init(
        name: String, cloud: Cloud, service: String, id: IDTemplate, example: String, scope: Scope,
        paths: Set<String>, secret: [PropertyPath] = [], listKeys: [PropertyPath: [String]] = [:],
        relations: [String: Relation] = [:], read: [String] = [], list: String? = nil,
        consistency: Span = Span(seconds: 5), samples: [String: JSON] = [:], place: SourcePlace
    ) {
        self.name = name
        self.cloud = cloud
        self.service = service
        self.id = id
        self.example = example
        self.scope = scope
        self.paths = paths
        self.secret = secret
        self.listKeys = listKeys
        self.relations = relations
        self.read = read
        self.list = list
        self.consistency = consistency
        self.samples = samples
        self.place = place
    }
}

/// A type's canonical id with variables in braces: `arn:{partition}:ec2:{region}:{account}:vpc/{VpcId}`.
package struct IDTemplate: Sendable, Hashable, CustomStringConvertible {
    package enum Part: Sendable, Hashable {
        case text(String)
        case variable(String)
    }
    package var parts: [Part]

    /// `nil` where a brace is not closed or a variable has no name.
    package init?(_ text: String) {
        var parts: [Part] = []
        var rest = Substring(text)
        while let open = rest.firstIndex(of: "{") {
            if open != rest.startIndex { parts.append(.text(String(rest[..<open]))) }
            guard let close = rest[open...].firstIndex(of: "}") else { return nil }
            let name = rest[rest.index(after: open)..<close]
            guard !name.isEmpty, !name.contains("{") else { return nil }
            parts.append(.variable(String(name)))
            rest = rest[rest.index(after: close)...]
        }
        guard !rest.contains("}") else { return nil }
        if !rest.isEmpty { parts.append(.text(String(rest))) }
        self.parts = parts
    }

    package var variables: [String] {
        parts.compactMap { if case .variable(let name) = $0 { name } else { nil } }
    }

    package var description: String {
        parts.map { part in
            switch part {
            case .text(let text): text
            case .variable(let name): "{\(name)}"
            }
        }.joined()
    }

    /// The id, or `nil` where a variable has no value.
    package func filled(_ value: (String) -> String?) -> String? {
        var out = ""
        for part in parts {
            switch part {
            case .text(let text): out += text
            case .variable(let name):
                guard let text = value(name), !text.isEmpty else { return nil }
                out += text
            }
        }
        return out
    }

    /// The variables' values in an id of this form; `nil` where the id is of another form. A variable that is
    /// followed by text reaches to the first place where that text stands; the last one takes the rest.
    package func values(in id: String) -> [String: String]? {
        var values: [String: String] = [:]
        var rest = Substring(id)
        for (index, part) in parts.enumerated() {
            switch part {
            case .text(let text):
                guard rest.hasPrefix(text) else { return nil }
                rest = rest.dropFirst(text.count)
            case .variable(let name):
                var end = rest.endIndex
                if index + 1 < parts.count, case .text(let next) = parts[index + 1] {
                    guard let found = rest.firstRange(of: next) else { return nil }
                    end = found.lowerBound
                }
                values[name] = String(rest[..<end])
                rest = rest[end...]
            }
        }
        return rest.isEmpty ? values : nil
    }
}
