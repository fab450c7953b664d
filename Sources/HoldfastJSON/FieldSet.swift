/// The members that a reader wants from objects of one shape, compiled for finding them in a single pass over the
/// bytes, without a tree and without allocation.
///
/// The pass checks everything it passes over as the strict parser would: grammar, UTF-8, escapes and depth. Where it
/// meets something unusual it gives up, and the caller turns to the strict parser, ``JSON/parse(_:limits:)``, which
/// decides whether the text is JSON at all.
package struct FieldSet: Sendable {
    package enum Outcome: Sendable {
        /// The strict parser accepts the text, and each slot holds the place of the value it would find.
        case fields
        /// Anything else: not JSON, not an object, an escape in a name where wanted names may stand, a wanted name
        /// twice, deeper than the limit, 4 GiB or more, a byte order mark. Every slot is absent.
        case unusual
    }

    /// One cell of the open-addressed table of one level of names.
    struct Cell: Sendable {
        var head: UInt64 = 0
        var tail: UInt64 = 0
        /// Bytes of the name; `-1` for a cell that is free.
        var count: Int32 = -1
        var slot: Int32 = -1
        /// The level that holds the names wanted inside of this member; `-1` where none is.
        var child: Int32 = -1
        /// Where the name starts in ``names``.
        var name: Int32 = 0
    }
    /// Where the cells of one level are: a power of two of them, at most a quarter of them taken.
    struct Level: Sendable {
        var firstCell: Int
        /// The number of cells, less one.
        var mask: Int
    }

    private(set) var cells: [Cell] = []
    private(set) var levels: [Level] = []
    private(set) var names: [UInt8] = []
    private let slotCount: Int
    private let depth: Int

    /// - Parameters:
    ///   - paths: member names from the outside in, such as `["userIdentity", "arn"]`, each path once. The slot of a
    ///     path is its index here. A path that leads through anything but objects finds nothing.
    ///   - depth: arrays and objects open at one time that are not unusual; 1 to 64.
    package init(paths: [[String]], depth: Int = 64) {
        precondition((1...64).contains(depth), "a field set counts 1 to 64 levels, not \(depth)")
        precondition(Set(paths).count == paths.count, "each path stands once in a field set: \(paths)")
        precondition(paths.allSatisfy { !$0.isEmpty }, "a path in a field set names a member: \(paths)")
        self.depth = depth
        // Names on the way to a wanted one have slots too, after the wanted ones, so that a second one is noticed.
        var slots = paths
        for path in paths {
            for count in 1..<path.count where !slots.contains(Array(path.prefix(count))) {
                slots.append(Array(path.prefix(count)))
            }
        }
        slotCount = slots.count
        _ = addLevel(below: [], slots: slots)
    }

    /// The members of one level by their names; the slot of a name is its index here.
    package init(_ names: [String], depth: Int = 64) { self.init(paths: names.map { [$0] }, depth: depth) }

    private mutating func addLevel(below path: [String], slots: [[String]]) -> Int32 {
        let members = slots.enumerated().filter { $0.element.count == path.count + 1 && $0.element.starts(with: path) }
        var bits = 2
        while 1 << bits < members.count * 4 { bits += 1 }
        let level = Level(firstCell: cells.count, mask: 1 << bits - 1)
        let index = Int32(levels.count)
        levels.append(level)
        cells.append(contentsOf: Array(repeating: Cell(), count: 1 << bits))
        for (slot, member) in members {
            let name = Array(member[path.count].utf8)
            let key = (name + [0]).withUnsafeBytes { bytes in
                bytes.baseAddress.map { NameKey($0, count: name.count, start: 0, end: name.count) }
            }
            guard let key else { preconditionFailure("an array with an element has an address") }
            var cell = Cell(head: key.head, tail: key.tail, count: Int32(name.count), slot: Int32(slot))
            cell.name = Int32(names.count)
            names.append(contentsOf: name)
            if slots.contains(where: { $0.count > member.count && $0.starts(with: member) }) {
                cell.child = addLevel(below: member, slots: slots)
            }
            var place = key.hash & level.mask
            while cells[level.firstCell + place].count >= 0 { place = (place + 1) & level.mask }
            cells[level.firstCell + place] = cell
        }
        return index
    }
}

extension FieldSet {
    /// Reads a text that is one object.
    ///
    /// - Parameter slots: made to fit, so that a caller starts with `[]` and passes the same array again and again.
    package func scan(_ bytes: Span<UInt8>, into slots: inout [JSONSlice]) -> Outcome {
        bytes.withUnsafeBytes { scan($0, into: &slots) }
    }

    /// See ``scan(_:into:)`` of a span.
    package func scan(_ bytes: UnsafeRawBufferPointer, into slots: inout [JSONSlice]) -> Outcome {
        if let scanner = Scanner(bytes) {
            let end = scan(scanner, from: scanner.skipSpace(0), into: &slots)
            if end >= 0, scanner.skipSpace(end) == scanner.count { return .fields }
        }
        clear(&slots)
        return .unusual
    }

    /// Reads an object inside of a text. The places in the slots count from the start of the whole text.
    package func scan(_ object: JSONSlice, in bytes: Span<UInt8>, into slots: inout [JSONSlice]) -> Outcome {
        let end = bytes.withUnsafeBytes { bytes in
            Scanner(bytes).map { scan($0, from: object.range.lowerBound, into: &slots) }
        }
        if end == object.range.upperBound { return .fields }
        clear(&slots)
        return .unusual
    }

    /// The index after the object that starts here; `-1`, with every slot absent, for the unusual.
    func scan(_ scanner: Scanner, from start: Int, into slots: inout [JSONSlice]) -> Int {
        clear(&slots)
        guard scanner.count <= Int(UInt32.max), scanner.byte(start) == UInt8(ascii: "{") else { return -1 }
        let end = slots.withUnsafeMutableBufferPointer { slots in
            cells.withUnsafeBufferPointer { cells in
                levels.withUnsafeBufferPointer { levels in
                    names.withUnsafeBytes { names in
                        guard let slots = slots.baseAddress, let cells = cells.baseAddress,
                            let levels = levels.baseAddress
                        else { return -1 }
                        let fields = FieldScanner(
                            scanner: scanner, cells: cells, levels: levels, names: names, slots: slots)
                        return fields.object(at: start, level: 0, depth: depth)
                    }
                }
            }
        }
        if end < 0 { clear(&slots) }
        return end
    }

    private func clear(_ slots: inout [JSONSlice]) {
        guard slots.count == slotCount else {
            slots = Array(repeating: .absent, count: slotCount)
            return
        }
        // An absent slice is all zeros.
        slots.withUnsafeMutableBytes { _ = $0.initializeMemory(as: UInt8.self, repeating: 0) }
    }
}
