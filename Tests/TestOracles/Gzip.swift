/// Gzip with stored blocks: what any gzip reader takes, made without zlib.
package func gzipped(_ text: String) -> [UInt8] {
    let bytes = Array(text.utf8)
    var out: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3]
    var index = 0
    repeat {
        let block = bytes[index..<min(bytes.count, index + 65_535)]
        index = block.endIndex
        let size = UInt16(block.count)
        out.append(index == bytes.count ? 1 : 0)
        out += [UInt8(size & 0xFF), UInt8(size >> 8), UInt8(~size & 0xFF), UInt8(~size >> 8)]
        out += block
    } while index < bytes.count
    var crc: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
        crc ^= UInt32(byte)
        for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    for value in [~crc, UInt32(truncatingIfNeeded: bytes.count)] {
        out += (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) }
    }
    return out
}
