/// A type's canonical id with variables in braces: `arn:{partition}:ec2:{region}:{account}:vpc/{VpcId}`. The value of
/// a variable holds no `/` (and in an ARN no `:`), unless it is written `{+Path}`.
package struct IDTemplate: Sendable, Hashable, CustomStringConvertible {
    package enum Part: Sendable, Hashable {
        case text(String)
        case variable(String)
        /// A variable whose value may hold separators.
        case wide(String)
    }
    package var parts: [Part]

    /// `nil` where a brace is not closed, a variable has no name, or two variables touch.
    package init?(_ text: String) {
        var parts: [Part] = []
        var rest = Substring(text)
        while let open = rest.firstIndex(of: "{") {
            if open != rest.startIndex { parts.append(.text(String(rest[..<open]))) }
            guard let close = rest[open...].firstIndex(of: "}") else { return nil }
            let inside = rest[rest.index(after: open)..<close]
            let name = inside.hasPrefix("+") ? inside.dropFirst() : inside
            guard !name.isEmpty, !name.contains("{") else { return nil }
            if let last = parts.last, !last.isText { return nil }
            parts.append(inside.hasPrefix("+") ? .wide(String(name)) : .variable(String(name)))
            rest = rest[rest.index(after: close)...]
        }
        guard !rest.contains("}"), !text.isEmpty else { return nil }
        if !rest.isEmpty { parts.append(.text(String(rest))) }
        self.parts = parts
    }

    package var variables: [String] { parts.compactMap(\.name) }

    package var description: String {
        parts.map { part in
            switch part {
            case .text(let text): text
            case .variable(let name): "{\(name)}"
            case .wide(let name): "{+\(name)}"
            }
        }.joined()
    }

    /// The id, or `nil` where a variable has no value.
    package func filled(_ value: (String) -> String?) -> String? {
        var out = ""
        for part in parts {
            switch part {
            case .text(let text): out += text
            case .variable(let name), .wide(let name):
                guard let text = value(name), !text.isEmpty else { return nil }
                out += text
            }
        }
        return out
    }

    /// The variables' values in an id of this form; `nil` where the id is of another form. A variable that is
    /// followed by text reaches to the first place where that text stands (a wide one to the last); the last one takes
    /// the rest.
    package func values(in id: String) -> Variables? {
        let bytes = id.utf8
        var values = Variables()
        var at = bytes.startIndex
        for (index, part) in parts.enumerated() {
            if case .text(let text) = part {
                guard bytes[at...].starts(with: text.utf8) else { return nil }
                at = bytes.index(at, offsetBy: text.utf8.count)
                continue
            }
            guard let name = part.name else { continue }
            var end = bytes.endIndex
            if index + 1 < parts.count, case .text(let next) = parts[index + 1] {
                guard let found = place(of: next.utf8, in: bytes[at...], last: part.isWide) else { return nil }
                end = found
            }
            let value = bytes[at..<end]
            guard !value.isEmpty, part.isWide || !value.contains(where: separates) else { return nil }
            values[name] = String(Substring(value))
            at = end
        }
        return at == bytes.endIndex ? values : nil
    }

    /// The same template with its texts in lower case: ids of Azure are compared so.
    package var lowercased: IDTemplate {
        var copy = self
        copy.parts = parts.map { if case .text(let text) = $0 { .text(text.lowercased()) } else { $0 } }
        return copy
    }

    /// A text that can be the value of this variable, and is not a whole id of something else.
    package func canHold(_ text: String, in variable: String) -> Bool {
        if text.isEmpty || text.hasPrefix("arn:") || text.hasPrefix("//") { return false }
        return parts.contains(.wide(variable)) || !text.utf8.contains(where: separates)
    }

    private func separates(_ byte: UInt8) -> Bool {
        if byte == UInt8(ascii: "/") { return true }
        guard byte == UInt8(ascii: ":"), case .text(let first)? = parts.first else { return false }
        return first.utf8.starts(with: "arn:".utf8)
    }

    private func place(
        of text: String.UTF8View, in rest: Substring.UTF8View, last: Bool
    ) -> Substring.UTF8View.Index? {
        guard let first = text.first else { return nil }
        var found: Substring.UTF8View.Index?
        var at = rest.startIndex
        while let next = rest[at...].firstIndex(of: first) {
            if rest[next...].starts(with: text) {
                found = next
                if !last { return next }
            }
            at = rest.index(after: next)
        }
        return found
    }
}

extension IDTemplate.Part {
    fileprivate var name: String? {
        switch self {
        case .text: nil
        case .variable(let name), .wide(let name): name
        }
    }
    fileprivate var isText: Bool { name == nil }
    fileprivate var isWide: Bool { if case .wide = self { true } else { false } }
}
