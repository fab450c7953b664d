/// What a name is looked up by: its last eight bytes as one word, of a shorter name all of them.
struct NameKey {
    let tail: UInt64

    /// Of the name between two indices of a text.
    @inline(__always)
    init(_ text: UnsafeRawBufferPointer, start: Int, end: Int) {
        guard end >= 8 else {
            tail = NameKey.tailNearStart(text, start, end)
            return
        }
        let word = UInt64(littleEndian: text.loadUnaligned(fromByteOffset: end &- 8, as: UInt64.self))
        tail = word >> UInt64(truncatingIfNeeded: max(0, 64 &- 8 &* (end &- start)))
    }

    /// Where there are no eight bytes before the end of the name.
    @inline(never)
    private static func tailNearStart(_ text: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> UInt64 {
        text[start..<end].reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The high bits of a product: each depends on every byte of the key.
    @inline(__always)
    var hash: Int { Int(truncatingIfNeeded: (tail &* 0x9E37_79B9_7F4A_7C15) &>> 40) }
}

/// Reads the objects of one text by the levels of a ``FieldSet``.
struct FieldScanner {
    let scanner: Scanner
    let cells: UnsafePointer<FieldSet.Cell>
    let levels: UnsafePointer<FieldSet.Level>
    let guesses: UnsafeBufferPointer<FieldSet.Guess>
    let names: UnsafeRawPointer
    let slots: UnsafeMutablePointer<JSONSlice>

    /// The index after the object whose opening brace is at `start`, `-1` for the unusual. Calls itself once a level.
    func object(at start: Int, level: Int, depth: Int) -> Int {
        var at = scanner.skipSpace(start &+ 1)
        if scanner.byte(at) == UInt8(ascii: "}") { return at &+ 1 }
        guard scanner.byte(at) == UInt8(ascii: "\"") else { return -1 }
        at &+= 1
        let level = levels[level]
        let cells = cells + level.firstCell
        var guess = level.firstGuess
        while at >= 0 {
            let stop: Int
            let cell: UnsafePointer<FieldSet.Cell>?
            if guess < level.endGuess, isNext(guesses[guess], at) {
                stop = at &+ Int(guesses[guess].count)
                cell = guesses[guess].cell < 0 ? nil : cells + Int(guesses[guess].cell)
                guess &+= 1
            } else {
                let name = scanner.string(at)
                guard name.end >= 0, !name.isEscaped else { return -1 }
                stop = name.end
                cell = self.cell(of: at, stop, in: cells, mask: level.mask)
                if let cell, cell.pointee.nextGuess >= 0 { guess = level.firstGuess &+ Int(cell.pointee.nextGuess) }
            }
            if scanner.hasTriple(stop, Scanner.nameThenString) {
                let plain = scanner.skipPlain(stop &+ 3)
                if cell == nil, scanner.hasTriple(plain, Scanner.stringThenString) {
                    at = plain &+ 3
                    continue
                }
                let (end, isEscaped) = scanner.closeString(plain)
                guard end >= 0 else { return -1 }
                if let cell {
                    let slot = slots + Int(cell.pointee.slot)
                    guard slot.pointee.kind == .absent else { return -1 }
                    slot.pointee = JSONSlice(start: stop &+ 3, end: end, kind: .string, isEscaped: isEscaped)
                }
                at = scanner.skipToName(end &+ 1)
            } else {
                at = scanner.skipColon(stop)
                guard at >= 0 else { return -1 }
                if let cell {
                    at = store(at, cell: cell, depth: depth &- 1)
                } else {
                    at = scanner.skipValue(at, depth: depth &- 1)
                }
                guard at >= 0 else { return -1 }
                at = scanner.skipToName(at)
            }
        }
        return at == -1 ? -1 : ~at
    }

    /// Whether the text goes on with a name that was guessed, its quote and its colon.
    @inline(__always)
    private func isNext(_ guess: FieldSet.Guess, _ at: Int) -> Bool {
        // Room for the longer of the name and one word.
        guard at &+ Int(guess.count) &+ 8 <= scanner.count else { return false }
        let head = UInt64(littleEndian: scanner.base.loadUnaligned(fromByteOffset: at, as: UInt64.self))
        let tail = UInt64(
            littleEndian: scanner.base.loadUnaligned(
                fromByteOffset: at &+ Int(guess.tailOffset), as: UInt64.self))
        return head & guess.mask == guess.head && tail & guess.mask == guess.tail
            && (guess.count <= 14 || scanner.hasBytes(at &+ 8, names + Int(guess.name) + 8, Int(guess.count) &- 14))
    }

    /// The cell of the name that lies between these indices, `nil` where nobody wants it.
    @inline(__always)
    private func cell(
        of start: Int, _ end: Int, in cells: UnsafePointer<FieldSet.Cell>, mask: Int
    ) -> UnsafePointer<FieldSet.Cell>? {
        let key = NameKey(scanner.bytes, start: start, end: end)
        var place = key.hash & mask
        while true {
            let cell = cells + place
            if cell.pointee.tail == key.tail, Int(cell.pointee.count) == end &- start,
                cell.pointee.count <= 8
                    || scanner.hasBytes(start, names + Int(cell.pointee.name), Int(cell.pointee.count) &- 8)
            {
                return cell
            }
            if cell.pointee.count < 0 { return nil }
            place = (place &+ 1) & mask
        }
    }

    /// Keeps the place of a wanted value and goes into it where more is wanted inside; the index after it.
    @inline(__always)
    private func store(_ start: Int, cell: UnsafePointer<FieldSet.Cell>, depth: Int) -> Int {
        let slot = Int(cell.pointee.slot)
        guard slots[slot].kind == .absent else { return -1 }
        if cell.pointee.child >= 0, scanner.byte(start) == UInt8(ascii: "{") {
            guard depth > 0 else { return -1 }
            let end = object(at: start, level: Int(cell.pointee.child), depth: depth)
            slots[slot] = JSONSlice(start: start, end: end, kind: .object)
            return end
        }
        guard let (slice, end) = scanner.slice(at: start, depth: depth) else { return -1 }
        slots[slot] = slice
        return end
    }
}
