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
    /// Where the cells of one level are: a power of two of them, at most half of them taken.
    struct Level: Sendable {
        var cells: Int32
        var shift: Int32
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
        let level = Level(cells: Int32(cells.count), shift: Int32(64 - bits))
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
            var place = key.place(shift: level.shift)
            while cells[Int(level.cells) + place].count >= 0 { place = (place + 1) & (1 << bits - 1) }
            cells[Int(level.cells) + place] = cell
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
        let end = scan(bytes, from: object.range.lowerBound, into: &slots)
        if end == object.range.upperBound { return .fields }
        clear(&slots)
        return .unusual
    }

    /// The index after the object that starts here; `-1`, with every slot absent, for the unusual.
    func scan(_ bytes: Span<UInt8>, from start: Int, into slots: inout [JSONSlice]) -> Int {
        bytes.withUnsafeBytes { bytes in
            guard let scanner = Scanner(bytes) else { return -1 }
            return scan(scanner, from: start, into: &slots)
        }
    }

    private func scan(_ scanner: Scanner, from start: Int, into slots: inout [JSONSlice]) -> Int {
        clear(&slots)
        guard scanner.count <= Int(UInt32.max), scanner.byte(start) == UInt8(ascii: "{") else { return -1 }
        let end = slots.withUnsafeMutableBufferPointer { slots in
            cells.withUnsafeBufferPointer { cells in
                levels.withUnsafeBufferPointer { levels in
                    names.withUnsafeBytes { names in
                        FieldScanner(scanner: scanner, cells: cells, levels: levels, names: names, slots: slots)
                            .object(at: start, level: 0, depth: depth)
                    }
                }
            }
        }
        if end < 0 { clear(&slots) }
        return end
    }

    private func clear(_ slots: inout [JSONSlice]) {
        if slots.count == slotCount {
            for index in slots.indices { slots[index] = .absent }
        } else {
            slots = Array(repeating: .absent, count: slotCount)
        }
    }
}

/// A name as two words: its first eight bytes and its last, the same for a name shorter than that.
struct NameKey {
    let head: UInt64
    let tail: UInt64

    /// Of the name between two indices of a text of `count` bytes.
    @inline(__always)
    init(_ text: UnsafeRawPointer, count: Int, start: Int, end: Int) {
        let length = end &- start
        if length >= 8 {
            head = text.loadUnaligned(fromByteOffset: start, as: UInt64.self)
            tail = text.loadUnaligned(fromByteOffset: end &- 8, as: UInt64.self)
            return
        }
        tail = 0
        if start &+ 8 <= count {
            head =
                UInt64(littleEndian: text.loadUnaligned(fromByteOffset: start, as: UInt64.self))
                & (1 &<< UInt64(truncatingIfNeeded: length &* 8) &- 1)
        } else {
            var word: UInt64 = 0
            for index in (start..<end).reversed() {
                word = word &<< 8 | UInt64(text.load(fromByteOffset: index, as: UInt8.self))
            }
            head = word
        }
    }

    /// The cell of a level where the search for this name begins.
    @inline(__always)
    func place(shift: Int32) -> Int {
        let mixed = (head ^ (tail &<< 23 | tail &>> 41)) &* 0x9E37_79B9_7F4A_7C15
        return Int(truncatingIfNeeded: mixed &>> UInt64(truncatingIfNeeded: shift))
    }
}

/// Reads the objects of one text by the levels of a ``FieldSet``.
struct FieldScanner {
    let scanner: Scanner
    let cells: UnsafeBufferPointer<FieldSet.Cell>
    let levels: UnsafeBufferPointer<FieldSet.Level>
    let names: UnsafeRawBufferPointer
    let slots: UnsafeMutableBufferPointer<JSONSlice>

    /// The index after the object whose opening brace is at `start`, `-1` for the unusual. Calls itself once a level.
    func object(at start: Int, level: Int, depth: Int) -> Int {
        var at = scanner.skipSpace(start &+ 1)
        if scanner.byte(at) == UInt8(ascii: "}") { return at &+ 1 }
        guard scanner.byte(at) == UInt8(ascii: "\"") else { return -1 }
        at &+= 1
        let level = levels[level]
        while at >= 0 {
            let name = scanner.string(at)
            guard name.end >= 0, !name.isEscaped else { return -1 }
            let cell = cell(of: at, name.end, level: level)
            at = scanner.skipColon(name.end)
            guard at >= 0 else { return -1 }
            if cell < 0 {
                at = scanner.skipValue(at, depth: depth &- 1)
            } else {
                at = store(at, cell: cells[cell], depth: depth &- 1)
            }
            guard at >= 0 else { return -1 }
            at = scanner.skipToName(at)
        }
        return at == -1 ? -1 : ~at
    }

    /// The cell of the name that lies between these indices, `-1` where nobody wants it.
    @inline(__always)
    private func cell(of start: Int, _ end: Int, level: FieldSet.Level) -> Int {
        let key = NameKey(scanner.base, count: scanner.count, start: start, end: end)
        let mask = Int(truncatingIfNeeded: UInt64.max &>> UInt64(truncatingIfNeeded: level.shift))
        var place = key.place(shift: level.shift)
        while true {
            let index = Int(level.cells) &+ place
            let cell = cells[index]
            if cell.count < 0 { return -1 }
            if cell.head == key.head, cell.tail == key.tail, Int(cell.count) == end &- start,
                cell.count <= 16 || sameName(cell, start)
            {
                return index
            }
            place = (place &+ 1) & mask
        }
    }

    /// For names longer than the two words of their key.
    private func sameName(_ cell: FieldSet.Cell, _ start: Int) -> Bool {
        let wanted = names[Int(cell.name)..<(Int(cell.name) + Int(cell.count))]
        return wanted.elementsEqual(UnsafeRawBufferPointer(start: scanner.base + start, count: wanted.count))
    }

    /// Keeps the place of a wanted value and goes into it where more is wanted inside; the index after it.
    @inline(__always)
    private func store(_ start: Int, cell: FieldSet.Cell, depth: Int) -> Int {
        let slot = Int(cell.slot)
        guard slots[slot].kind == .absent else { return -1 }
        if cell.child >= 0, scanner.byte(start) == UInt8(ascii: "{") {
            guard depth > 0 else { return -1 }
            let end = object(at: start, level: Int(cell.child), depth: depth)
            slots[slot] = JSONSlice(start: start, end: end, kind: .object)
            return end
        }
        guard let (slice, end) = scanner.slice(at: start, depth: depth) else { return -1 }
        slots[slot] = slice
        return end
    }
}
