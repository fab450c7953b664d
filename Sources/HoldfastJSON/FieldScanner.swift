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

    /// The high bits of a product: each depends on every byte of the name that is in the key.
    @inline(__always)
    var hash: Int { Int(truncatingIfNeeded: ((head &+ tail) &* 0x9E37_79B9_7F4A_7C15) &>> 40) }
}

/// Reads the objects of one text by the levels of a ``FieldSet``.
struct FieldScanner {
    let scanner: Scanner
    let cells: UnsafePointer<FieldSet.Cell>
    let levels: UnsafePointer<FieldSet.Level>
    let names: UnsafeRawBufferPointer
    let slots: UnsafeMutablePointer<JSONSlice>

    /// The index after the object whose opening brace is at `start`, `-1` for the unusual. Calls itself once a level.
    func object(at start: Int, level: Int, depth: Int) -> Int {
        var at = scanner.skipSpace(start &+ 1)
        if scanner.byte(at) == UInt8(ascii: "}") { return at &+ 1 }
        guard scanner.byte(at) == UInt8(ascii: "\"") else { return -1 }
        at &+= 1
        let cells = cells + levels[level].firstCell
        let mask = levels[level].mask
        while at >= 0 {
            let stop = scanner.skipPlain(at)
            if scanner.hasTriple(stop, Scanner.nameThenString) {
                let cell = cell(of: at, stop, in: cells, mask: mask)
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
                let name = scanner.closeString(stop)
                guard name.end >= 0, !name.isEscaped else { return -1 }
                let cell = cell(of: at, name.end, in: cells, mask: mask)
                at = scanner.skipColon(name.end)
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

    /// The cell of the name that lies between these indices, `nil` where nobody wants it.
    @inline(__always)
    private func cell(
        of start: Int, _ end: Int, in cells: UnsafePointer<FieldSet.Cell>, mask: Int
    ) -> UnsafePointer<FieldSet.Cell>? {
        let key = NameKey(scanner.base, count: scanner.count, start: start, end: end)
        var place = key.hash & mask
        while true {
            let cell = cells + place
            if cell.pointee.head == key.head, cell.pointee.tail == key.tail,
                Int(cell.pointee.count) == end &- start, cell.pointee.count <= 16 || sameName(cell, start)
            {
                return cell
            }
            if cell.pointee.count < 0 { return nil }
            place = (place &+ 1) & mask
        }
    }

    /// For names longer than the two words of their key.
    @inline(never)
    private func sameName(_ cell: UnsafePointer<FieldSet.Cell>, _ start: Int) -> Bool {
        var at = 8
        let last = Int(cell.pointee.count) &- 8
        let name = Int(cell.pointee.name)
        while at < last {
            let wanted = names.loadUnaligned(fromByteOffset: name &+ at, as: UInt64.self)
            if scanner.base.loadUnaligned(fromByteOffset: start &+ at, as: UInt64.self) != wanted { return false }
            at &+= 8
        }
        return true
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
