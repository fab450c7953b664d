internal import HoldfastJSON

/// Holds the scanner against the strict parser on one text after the other.
package struct Differential: Sendable {
    package private(set) var inputs = 0
    /// The scanner found the fields.
    package private(set) var fields = 0
    /// The scanner called the text unusual, the strict parser accepted it.
    package private(set) var unusual = 0
    /// Both refused.
    package private(set) var refused = 0
    package private(set) var disagreements = 0
    /// The first texts on which the two disagreed, and how.
    package private(set) var reports: [String] = []

    private let paths: [[String]]
    private let outer: FieldSet
    private let inner: FieldSet
    private let innerNames = ["a", "arn", "id", "sessionContext"]
    private var slots: [JSONSlice] = []
    private var innerSlots: [JSONSlice] = []

    package init(paths: [[String]] = OddEvents.paths) {
        self.paths = paths
        outer = FieldSet(paths: paths, usual: OddEvents.usual)
        inner = FieldSet(innerNames)
    }

    /// Takes as many texts as it is told from a generator.
    package mutating func run(_ inputs: Int, from events: inout OddEvents) {
        for _ in 0..<inputs { check(events.next()) }
    }

    package mutating func check(_ text: [UInt8]) {
        inputs += 1
        let strict = try? JSON.parse(text)
        // A buffer with nothing after its last byte, so that a reader that goes too far is seen by a sanitizer.
        let exact = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: text.count)
        defer { exact.deallocate() }
        _ = exact.initialize(from: text)
        let bytes = UnsafeBufferPointer(exact)
        guard outer.scan(bytes.span, into: &slots) == .fields else {
            if strict == nil { refused += 1 } else { unusual += 1 }
            if slots.contains(where: { !$0.isAbsent }) { report("unusual, and a slot is taken", text) }
            return
        }
        fields += 1
        guard let strict else { return report("the strict parser refuses it", text) }
        for (path, slot) in zip(paths, slots) {
            let value = path.reduce(Optional(strict)) { $0?[$1] }
            if let problem = difference(slot, value, in: bytes.span) {
                report("\(path.joined(separator: ".")): \(problem)", text)
            }
        }
    }

    /// How a slot and the value that the strict parser found differ.
    private mutating func difference(_ slot: JSONSlice, _ value: JSON?, in bytes: Span<UInt8>) -> String? {
        guard (try? slot.tree(in: bytes)) == value else { return "the trees differ" }
        guard slot.bool == value?.bool else { return "the truth values differ" }
        switch (slot.string(in: bytes), value?.string) {
        case (nil, nil): break
        case (let found?, let wanted?) where found.equalsInUTF8(wanted) && slot.equals(wanted, in: bytes): break
        default: return "the strings differ"
        }
        if let elements = value?.array { return difference(slot, elements, in: bytes) }
        if value?.object != nil, inner.scan(slot, in: bytes, into: &innerSlots) == .fields {
            return difference(innerSlots, value, in: bytes)
        }
        return nil
    }

    /// The same for the elements of an array, read both ways.
    private mutating func difference(_ slot: JSONSlice, _ elements: [JSON], in bytes: Span<UInt8>) -> String? {
        var plain = JSONElements(slot)
        var scanned = JSONElements(slot)
        for element in elements {
            guard let next = plain.next(in: bytes), (try? next.tree(in: bytes)) == element else {
                return "an element differs"
            }
            guard let (same, outcome) = scanned.next(in: bytes, fields: inner, into: &innerSlots), same == next else {
                return "an element with fields differs"
            }
            if outcome == .fields, let problem = difference(innerSlots, element, in: bytes) { return problem }
        }
        return plain.next(in: bytes) == nil && scanned.next(in: bytes, fields: inner, into: &innerSlots) == nil
            ? nil : "there are more elements"
    }

    private func difference(_ slots: [JSONSlice], _ object: JSON?, in bytes: Span<UInt8>) -> String? {
        for (name, slot) in zip(innerNames, slots) where (try? slot.tree(in: bytes)) != object?[name] {
            return "\(name) inside differs"
        }
        return nil
    }

    private mutating func report(_ problem: String, _ text: [UInt8]) {
        disagreements += 1
        if reports.count < 10 {
            reports.append("\(problem): \(String(decoding: text, as: UTF8.self).debugDescription)")
        }
    }
}
