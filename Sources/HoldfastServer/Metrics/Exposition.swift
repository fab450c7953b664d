/// Metrics in Prometheus' text format, version 0.0.4.
package struct Exposition: Sendable {
    package enum Kind: String, Sendable {
        case counter, gauge
    }
    /// Media type of ``text``.
    static let mediaType = "text/plain; version=0.0.4; charset=utf-8"

    package private(set) var text = ""

    package init() {}

    /// One metric with its samples, in the order given.
    ///
    /// - Parameters:
    ///   - name: `holdfast_events_total`; counters end in `_total`, units are the base ones.
    ///   - help: one line.
    package mutating func add(_ name: String, _ kind: Kind, _ help: String, _ samples: [Sample]) {
        text += "# HELP \(name) \(Self.escaped(help, quotes: false))\n# TYPE \(name) \(kind.rawValue)\n"
        for sample in samples {
            let labels = sample.labels.map { "\($0.name)=\"\(Self.escaped($0.value, quotes: true))\"" }
            text += name + (labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}") + " \(sample.number)\n"
        }
    }

    package mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: Int) {
        add(name, kind, help, [Sample(value)])
    }

    /// A value with the labels that tell it from its sisters.
    package struct Sample: Sendable {
        package var labels: [(name: String, value: String)]
        /// As it is printed.
        package var number: String

        package init(_ value: Int, _ labels: [(name: String, value: String)] = []) {
            number = String(value)
            self.labels = labels
        }
        package init(_ value: Double, _ labels: [(name: String, value: String)] = []) {
            number = value.isNaN ? "NaN" : value == .infinity ? "+Inf" : value == -.infinity ? "-Inf" : "\(value)"
            self.labels = labels
        }
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\"" where quotes: out += "\\\""
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
