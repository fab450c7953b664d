internal import HoldfastCore
internal import HoldfastJSON

/// A JSON Web Token in its compact form (RFC 7519), taken apart and believed in nothing.
struct CompactToken: Sendable {
    let algorithm: Algorithm
    let keyID: String?
    let claims: JSON
    /// What the signature is over.
    let signed: [UInt8]
    let signature: [UInt8]

    /// The signatures that are taken (RFC 7518). There is no `none`, and none that a shared secret makes.
    enum Algorithm: String, Sendable, CaseIterable {
        case rs256 = "RS256"
        case es256 = "ES256"
    }

    /// Bytes of the longest token that is looked at.
    static let longest = 16 << 10

    private static let strictly = JSONLimits(depth: 16, rejectsDuplicateKeys: true)

    /// - Throws: 401 with what is wrong with it, in words that repeat nothing of it.
    init(_ text: String) throws(Refusal) {
        guard text.utf8.count <= Self.longest else { throw Self.refused("is longer than 16 KiB") }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.json(parts[0]), let claims = Self.json(parts[1]),
            claims.object != nil, let signature = Self.bytes(parts[2])
        else { throw Self.refused("is not three parts in base64url, of which two are JSON") }
        guard let name = header["alg"]?.string, let algorithm = Algorithm(rawValue: name) else {
            throw Self.refused("is not signed by one of \(Algorithm.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        guard header["crit"] == nil else { throw Self.refused("asks for an extension that is not known") }
        if let type = header["typ"]?.string?.lowercased(), !["jwt", "at+jwt", "application/at+jwt"].contains(type) {
            throw Self.refused("is of a type that signs nobody in")
        }
        self.algorithm = algorithm
        keyID = header["kid"]?.string
        self.claims = claims
        signed = Array("\(parts[0]).\(parts[1])".utf8)
        self.signature = signature
    }

    static func refused(_ why: String) -> Refusal { .unauthenticated("this token \(why)") }

    private static func json(_ part: Substring) -> JSON? {
        bytes(part).flatMap { try? JSON.parse($0, limits: strictly) }
    }

    /// Base64url without padding, and nothing else.
    private static func bytes(_ part: Substring) -> [UInt8]? {
        let isPlain = part.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
        guard isPlain, !part.isEmpty, part.utf8.count % 4 != 1 else { return nil }
        return HoldfastCore.bytes(fromBase64: String(part))
    }
}
