package import HoldfastJSON

/// A set of ports.
package struct PortSet: Sendable, Hashable, CustomStringConvertible {
    package var ports: Intervals<UInt16>

    package init(_ ports: Intervals<UInt16> = Intervals()) { self.ports = ports }

    package static let everything = PortSet(.everything)

    /// `22`, `22-23`, `*` for every port, or several with commas between: `22,8000-8080`.
    package init(_ text: some StringProtocol) throws(RangeTextError) {
        var ranges: [ClosedRange<UInt16>] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let range = PortSet.range(IPAddress.trimmed(part)) else {
                throw RangeTextError(String(text), expected: "a port (22), a range (22-23) or “*”")
            }
            ranges.append(range)
        }
        ports = Intervals(ranges)
    }

    /// The union of a number or text, or a list of them.
    package init(_ json: JSON) throws(RangeTextError) {
        self.init()
        for element in json.array ?? [json] {
            guard let text = element.scalarText, element.bool == nil else {
                throw RangeTextError(element.scalarText ?? element.kindName, expected: "a port or a range of ports")
            }
            formUnion(try PortSet(text))
        }
    }

    private static func range(_ text: Substring) -> ClosedRange<UInt16>? {
        if text == "*" { return 0...UInt16.max }
        let ends = text.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false).map {
            IPAddress.trimmed($0)
        }
        guard ends.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            let low = UInt16(ends[0]), let high = UInt16(ends[ends.count - 1]), low <= high
        else { return nil }
        return low...high
    }

    package var isEmpty: Bool { ports.isEmpty }
    package var isEverything: Bool { ports.isEverything }
    package func contains(_ port: UInt16) -> Bool { ports.contains(port) }
    package func union(_ other: PortSet) -> PortSet { PortSet(ports.union(other.ports)) }
    package mutating func formUnion(_ other: PortSet) { self = union(other) }
    package func intersection(_ other: PortSet) -> PortSet { PortSet(ports.intersection(other.ports)) }
    package func subtracting(_ other: PortSet) -> PortSet { PortSet(ports.subtracting(other.ports)) }
    package func overlaps(_ other: PortSet) -> Bool { ports.overlaps(other.ports) }
    package func isSubset(of other: PortSet) -> Bool { ports.isSubset(of: other.ports) }

    /// The ranges as text, `22` or `22-23`, in order; every port is `0-65535`.
    package var texts: [String] {
        ports.ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
    }
    package var description: String { texts.joined(separator: ",") }
}
