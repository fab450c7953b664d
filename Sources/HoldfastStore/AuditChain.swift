internal import HoldfastCore
internal import HoldfastCrypto
internal import HoldfastJSON

/// What an audit entry's digest covers.
struct AuditLink {
    var sequence: Int64
    /// Of the lease under which the entry was written.
    var epoch: Int64
    /// As stored.
    var kind: String
    var at: Timestamp
    /// SHA-256 of the body's canonical text, so that a body can be taken out later and the chain still be followed.
    var bodyDigest: String
    var previous: String

    /// What the first entry has for the one before it.
    static let first = String(repeating: "0", count: 64)

    /// SHA-256, in hexadecimal, of the canonical JSON
    /// `{"at":…,"body":"…","epoch":…,"kind":"…","previous":"…","sequence":…}`, `at` in nanoseconds since 1970.
    var digest: String {
        let form: JSON = [
            "at": .number(JSONNumber(Int(at.nanoseconds))), "body": .string(bodyDigest),
            "epoch": .number(JSONNumber(Int(epoch))), "kind": .string(kind), "previous": .string(previous),
            "sequence": .number(JSONNumber(Int(sequence))),
        ]
        return sha256(form.canonicalBytes).description
    }
}

/// Chains the digests of the evidence log's batches, so that one of them stands for all before it.
enum EvidenceSeal {
    static let first = [UInt8](repeating: 0, count: 32)

    /// SHA-256 over the seal before and the batch's own SHA-256.
    static func after(_ seal: [UInt8], digest: [UInt8]) -> [UInt8] { sha256(seal + digest).bytes }
}
