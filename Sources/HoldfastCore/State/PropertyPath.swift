/// A path to a property: `VPCOptions.SecurityGroupIds[]`, `SecurityGroupIngress[0].CidrIp`. Names with dots or
/// brackets are quoted: `Tags."aws:cloudformation.stack"`. The empty path, written `.`, is the whole.
package struct PropertyPath: Sendable, Hashable, Comparable, CustomStringConvertible {
    package enum Step: Sendable, Hashable {
        case name(String)
        /// One element, counted from 0.
        case index(Int)
        /// Every element.
        case each
    }
    package var steps: [Step]

    package init(_ steps: [Step] = []) { self.steps = steps }
    package init(names: String...) { steps = names.map(Step.name) }

    /// `nil` where the text is not a path.
    package init?(_ text: some StringProtocol) {
        if text == "." || text.isEmpty {
            steps = []
            return
        }
        var steps: [Step] = []
        var rest = Substring(text)
        var first = true
        while !rest.isEmpty {
            if rest.hasPrefix("[") {
                guard let close = rest.firstIndex(of: "]") else { return nil }
                let inside = rest[rest.index(after: rest.startIndex)..<close]
                guard let step: Step = inside.isEmpty ? .each : Int(inside).flatMap({ $0 >= 0 ? .index($0) : nil })
                else { return nil }
                steps.append(step)
                rest = rest[rest.index(after: close)...]
            } else {
                if !first {
                    guard rest.hasPrefix(".") else { return nil }
                    rest = rest.dropFirst()
                }
                guard let (name, after) = PropertyPath.name(rest) else { return nil }
                steps.append(.name(name))
                rest = after
            }
            first = false
        }
        self.steps = steps
    }

    private static func name(_ text: Substring) -> (String, Substring)? {
        if text.hasPrefix("\"") {
            let inside = text.dropFirst()
            guard let close = inside.firstIndex(of: "\""), close != inside.startIndex else { return nil }
            return (String(inside[..<close]), inside[inside.index(after: close)...])
        }
        let end = text.firstIndex { $0 == "." || $0 == "[" } ?? text.endIndex
        guard end != text.startIndex else { return nil }
        return (String(text[..<end]), text[end...])
    }

    package var isRoot: Bool { steps.isEmpty }
    /// The name of the top-level property that this path is in.
    package var property: String? { if case .name(let name)? = steps.first { name } else { nil } }

    package func appending(_ step: Step) -> PropertyPath { PropertyPath(steps + [step]) }
    package func hasPrefix(_ other: PropertyPath) -> Bool { steps.starts(with: other.steps) }

    package var description: String {
        if steps.isEmpty { return "." }
        var text = ""
        for step in steps {
            switch step {
            case .name(let name):
                let quoted = name.contains { $0 == "." || $0 == "[" || $0 == "\"" }
                text += (text.isEmpty ? "" : ".") + (quoted ? "\"\(name)\"" : name)
            case .index(let index): text += "[\(index)]"
            case .each: text += "[]"
            }
        }
        return text
    }

    package static func < (a: PropertyPath, b: PropertyPath) -> Bool { a.description < b.description }
}
