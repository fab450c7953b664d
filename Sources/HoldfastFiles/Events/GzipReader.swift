internal import CZlib

/// Why compressed bytes cannot be inflated, and at which of them.
package struct GzipError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Reason: Sendable, Hashable {
        /// The input stops before the end of a member; what came before it is sound.
        case truncated
        /// zlib's own word for what is wrong: a bad block, a checksum that differs.
        case corrupt(String)
        /// More comes out than the reader was made for; the limit in bytes.
        case tooLarge(limit: Int64)
        /// Something that is neither another member nor padding follows the last one.
        case trailing
    }
    package var reason: Reason
    /// Bytes from the start of the compressed input.
    package var offset: Int64

    package init(_ reason: Reason, at offset: Int64) {
        self.reason = reason
        self.offset = offset
    }

    /// Stands after a file's name: `is gzip that …`.
    package var description: String {
        switch reason {
        case .truncated:
            "is gzip that ends too soon, after compressed byte \(offset); fetch the file again"
        case .corrupt(let what):
            "is gzip that is damaged at compressed byte \(offset) (\(what)); fetch the file again"
        case .tooLarge(let limit):
            "is gzip that inflates to more than the limit of \(limit) bytes, passed at compressed byte \(offset); "
                + "split the file if its size is right"
        case .trailing:
            "is gzip followed by other bytes at compressed byte \(offset), which are passed over"
        }
    }
}

/// Inflates gzip as it comes, with any number of members, in memory that does not grow with the input.
package struct GzipReader: ~Copyable {
    /// What a file may inflate to where nothing else is said: 1 GiB. CloudTrail's files stay below 50 MB.
    package static let standardLimit: Int64 = 1 << 30
    /// Room for what one step gives at most.
    private static let roomBytes = 256 << 10

    private enum Phase { case beforeMember, inMember, padding }

    // zlib keeps a pointer back to its stream, so the stream must not move: it lives outside this value.
    private let stream: UnsafeMutablePointer<z_stream>
    private let room: UnsafeMutablePointer<UInt8>
    private let limit: Int64
    private var phase = Phase.beforeMember
    private var isFirstMember = true
    private var taken: Int64 = 0
    private var given: Int64 = 0

    /// - Parameter limit: bytes that may come out in all; one more is an error.
    package init(limit: Int64 = GzipReader.standardLimit) {
        self.limit = limit
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        room = .allocate(capacity: Self.roomBytes)
        // 15 bits of window as gzip has, + 16: gzip only, with its checksum and length verified.
        let status = inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        precondition(status == Z_OK, "zlib \(ZLIB_VERSION) cannot start: status \(status)")
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
        room.deallocate()
    }

    /// Takes from `input` at `start` and appends at most 256 KiB to `output`.
    ///
    /// - Returns: how many bytes of the input it took; all of them where `output` did not fill up.
    package mutating func inflate(
        _ input: [UInt8], from start: Int, into output: inout [UInt8]
    ) throws(GzipError) -> Int {
        var used = start
        if phase != .inMember { used = try skipToMember(input, from: start) }
        guard phase == .inMember, used < input.count else { return used - start }
        let status = input[used...].withUnsafeBufferPointer { bytes in
            // zlib does not write to its input; its type only lacks the `const`.
            stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
            stream.pointee.avail_in = UInt32(clamping: bytes.count)
            stream.pointee.next_out = room
            stream.pointee.avail_out = UInt32(Self.roomBytes)
            let before = stream.pointee.avail_in
            defer { used += Int(before - stream.pointee.avail_in) }
            return CZlib.inflate(stream, Z_NO_FLUSH)
        }
        let count = Self.roomBytes - Int(stream.pointee.avail_out)
        taken += Int64(used - start)
        given += Int64(count)
        guard given <= limit else { throw GzipError(.tooLarge(limit: limit), at: taken) }
        output.append(contentsOf: UnsafeBufferPointer(start: room, count: count))
        switch status {
        case Z_OK, Z_BUF_ERROR: break
        case Z_STREAM_END:
            phase = .beforeMember
            isFirstMember = false
            inflateReset(stream)
        default: throw GzipError(.corrupt(message(for: status)), at: taken)
        }
        return used - start
    }

    /// Inflates what is there whole.
    ///
    /// - Parameter limit: bytes that may come out.
    package static func inflate(whole input: [UInt8], limit: Int64 = standardLimit) throws(GzipError) -> [UInt8] {
        var reader = GzipReader(limit: limit)
        var output: [UInt8] = []
        var used = 0
        while used < input.count { used += try reader.inflate(input, from: used, into: &output) }
        try reader.finish()
        return output
    }

    /// Whether more must come for what has been given to be whole.
    package var isInsideMember: Bool { phase == .inMember || isFirstMember }

    /// To be called when the input has ended.
    package func finish() throws(GzipError) {
        if isInsideMember { throw GzipError(.truncated, at: taken) }
    }

    /// Zeros between members and after the last are padding, as tape drives and some uploaders leave it.
    private mutating func skipToMember(_ input: [UInt8], from start: Int) throws(GzipError) -> Int {
        if isFirstMember {
            phase = .inMember
            return start
        }
        var index = start
        while index < input.count, input[index] == 0 {
            index += 1
            phase = .padding
        }
        guard index < input.count else {
            taken += Int64(index - start)
            return index
        }
        guard input[index] == 0x1F else { throw GzipError(.trailing, at: taken + Int64(index - start)) }
        phase = .inMember
        return index
    }

    private func message(for status: Int32) -> String {
        if let text = stream.pointee.msg { return String(cString: text) }
        return status == Z_NEED_DICT ? "it asks for a dictionary" : "zlib status \(status)"
    }
}
