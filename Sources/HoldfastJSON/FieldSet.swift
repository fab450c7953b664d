/// The members that a reader wants from objects of one shape, compiled for finding them in a single pass over the
/// bytes, without a tree and without allocation.
///
/// The pass checks everything it passes over as the strict parser would: grammar, UTF-8, escapes and depth. Where it
/// meets something unusual it gives up, and the caller turns to the strict parser, ``JSON/parse(_:limits:)``, which
/// decides whether the text is JSON at all.
package struct FieldSet: Sendable {
    package enum Outcome: Sendable {
        /// The strict parser with its usual limits accepts the text, and each slot holds the place of the value it
        /// would find. Names that nobody wants may be there twice: only the strict parser looks for these, when told
        /// to.
        case fields
        /// Anything else: not JSON, not an object, an escape in a name where wanted names may stand, a wanted name
        /// twice, deeper than the limit, 4 GiB or more, a byte order mark. Every slot is absent.
        case unusual
    }

    /// One cell of the open-addressed table of one level of names.
    struct Cell: Sendable {
        var tail: UInt64 = 0
        /// Bytes of the name; `-1` for a cell that is free.
        var count: Int32 = -1
        var slot: Int32 = -1
        /// The level that holds the names wanted inside of this member; `-1` where none is.
        var child: Int32 = -1
        /// Where the name starts in ``names``.
        var name: Int32 = 0
        /// The guess after the one of this name; `-1` where the name is not among the usual ones.
        var nextGuess: Int32 = -1
    }
    /// A name that usually comes next, compared with the text before anything is looked up. It is held with the quote
    /// and the colon after it, as two words that may overlap.
    struct Guess: Sendable {
        var head: UInt64
        var tail: UInt64
        /// All ones, or as many bytes as there are.
        var mask: UInt64
        /// Where the tail begins, from the start of the name.
        var tailOffset: Int32
        /// Bytes of the name alone.
        var count: Int32
        /// Where the name starts in ``names``.
        var name: Int32
        /// The cell of the name, `-1` where nobody wants it.
        var cell: Int32
    }
    /// Where the cells of one level are: a power of two of them, at most a quarter of them taken.
    struct Level: Sendable {
        var firstCell: Int
        /// The number of cells, less one.
        var mask: Int
        var firstGuess: Int
        /// The guess after the last.
        var endGuess: Int
    }

    private(set) var cells: [Cell] = []
    private(set) var levels: [Level] = []
    private(set) var guesses: [Guess] = []
    /// The names one after the other; before the first stand eight bytes, for keys to reach back into.
    private(set) var names = [UInt8](repeating: 0, count: 8)
    private let slotCount: Int
    private let depth: Int

    /// - Parameters:
    ///   - paths: member names from the outside in, such as `["userIdentity", "arn"]`, each path once. The slot of a
    ///     path is its index here. A path that leads through anything but objects finds nothing.
    ///   - usual: the members of objects, wanted or not, in the order in which they usually come, as paths. Texts that
    ///     keep to it are read faster; what is found is the same.
    ///   - depth: arrays and objects open at one time that are not unusual; 1 to 64.
    package init(paths: [[String]], usual: [[String]] = [], depth: Int = 64) {
        precondition((1...64).contains(depth), "a field set counts 1 to 64 levels, not \(depth)")
        precondition(Set(paths).count == paths.count, "each path stands once in a field set: \(paths)")
        precondition(!paths.isEmpty, "a field set wants a field")
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
        _ = addLevel(below: [], slots: slots, usual: usual)
    }

    /// The members of one level by their names; the slot of a name is its index here.
    package init(_ names: [String], depth: Int = 64) { self.init(paths: names.map { [$0] }, depth: depth) }

    /// Adds the names wanted right below a path, and the levels below them; the index of the level.
    private mutating func addLevel(below path: [String], slots: [[String]], usual: [[String]]) -> Int32 {
        let members = slots.enumerated().filter { $0.element.count == path.count + 1 && $0.element.starts(with: path) }
        var bits = 2
        while 1 << bits < members.count * 4 { bits += 1 }
        var level = Level(firstCell: cells.count, mask: 1 << bits - 1, firstGuess: guesses.count, endGuess: 0)
        cells.append(contentsOf: Array(repeating: Cell(), count: 1 << bits))
        var places: [String: Int] = [:]
        for (slot, member) in members {
            places[member[path.count]] = addCell(member[path.count], slot: slot, level: level)
        }
        for name in usual where name.count == path.count + 1 && name.starts(with: path) {
            addGuess(name[path.count], place: places[name[path.count]], level: level)
        }
        level.endGuess = guesses.count
        let index = Int32(levels.count)
        levels.append(level)
        for (_, member) in members where slots.contains(where: { $0.count > member.count && $0.starts(with: member) }) {
            guard let place = places[member[path.count]] else { continue }
            cells[level.firstCell + place].child = addLevel(below: member, slots: slots, usual: usual)
        }
        return index
    }

    /// Puts a name into a free cell; its index in the level.
    private mutating func addCell(_ name: String, slot: Int, level: Level) -> Int {
        let start = names.count
        names.append(contentsOf: name.utf8)
        let count = names.count - start
        let key = names.withUnsafeBytes { NameKey($0, start: start, end: $0.count) }
        var place = key.hash & level.mask
        while cells[level.firstCell + place].count >= 0 { place = (place + 1) & level.mask }
        cells[level.firstCell + place] = Cell(
            tail: key.tail, count: Int32(count), slot: Int32(slot), name: Int32(start))
        return place
    }

    private mutating func addGuess(_ name: String, place: Int?, level: Level) {
        let start = names.count
        names.append(contentsOf: name.utf8)
        names.append(contentsOf: "\":".utf8)
        let count = names.count - start
        let words = names.withUnsafeBytes { names in
            (
                NameKey(names, start: start, end: min(start + 8, names.count)).tail,
                NameKey(names, start: start, end: names.count).tail
            )
        }
        guesses.append(
            Guess(
                head: words.0, tail: words.1, mask: count < 8 ? 1 << UInt64(count * 8) - 1 : .max,
                tailOffset: Int32(max(0, count - 8)), count: Int32(count - 2), name: Int32(start),
                cell: Int32(place ?? -1)))
        if let place { cells[level.firstCell + place].nextGuess = Int32(guesses.count - level.firstGuess) }
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
                    guesses.withUnsafeBufferPointer { guesses in
                        names.withUnsafeBytes { names in
                            guard let slots = slots.baseAddress, let cells = cells.baseAddress,
                                let levels = levels.baseAddress, let names = names.baseAddress
                            else { return -1 }
                            let fields = FieldScanner(
                                scanner: scanner, cells: cells, levels: levels, guesses: guesses, names: names,
                                slots: slots)
                            return fields.object(at: start, level: 0, depth: depth)
                        }
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
