package import HoldfastCore
package import HoldfastJSON

/// How far both logs had got at a moment, and the digests that stand for everything up to there.
package struct AuditCheckpoint: Sendable, Hashable {
    package var at: Timestamp
    /// The last audit entry, 0 before the first.
    package var auditSequence: Int64
    /// 64 hexadecimal digits.
    package var auditDigest: String
    /// The last batch of the evidence log, 0 before the first.
    package var batchSequence: Int64
    /// 64 hexadecimal digits.
    package var batchSeal: String
    /// `nil`: nobody vouches for it.
    package var signature: CheckpointSignature?

    package init(
        at: Timestamp, auditSequence: Int64, auditDigest: String, batchSequence: Int64, batchSeal: String,
        signature: CheckpointSignature? = nil
    ) {
        self.at = at
        self.auditSequence = auditSequence
        self.auditDigest = auditDigest
        self.batchSequence = batchSequence
        self.batchSeal = batchSeal
        self.signature = signature
    }

    /// Whether nothing was written to either log between the two.
    package func hasSameHeads(as other: AuditCheckpoint) -> Bool {
        auditSequence == other.auditSequence && auditDigest == other.auditDigest
            && batchSequence == other.batchSequence && batchSeal == other.batchSeal
    }

    /// What a signature covers: the checkpoint's canonical JSON without its signature.
    package var signedBytes: [UInt8] { JSON.object(plain).canonicalBytes }

    package var json: JSON {
        var json = plain
        if let signature { json["signature"] = signature.json }
        return .object(json)
    }

    /// Its canonical JSON, as anchors take it; at most ``longestLine`` bytes.
    package var line: [UInt8] { json.canonicalBytes }
    package static let longestLine = 1024

    private var plain: JSONObject {
        let audit: JSON = ["digest": .string(auditDigest), "sequence": .number(JSONNumber(Int(auditSequence)))]
        let evidence: JSON = ["digest": .string(batchSeal), "sequence": .number(JSONNumber(Int(batchSequence)))]
        return JSONObject([("audit", audit), ("evidence", evidence), ("time", .string(at.description))])
    }

    package init?(json: JSON) {
        guard let at = json["time"]?.string.flatMap({ Timestamp($0) }),
            let audit = json["audit"], let entry = audit["sequence"]?.int, let digest = audit["digest"]?.string,
            let evidence = json["evidence"], let batch = evidence["sequence"]?.int,
            let seal = evidence["digest"]?.string
        else { return nil }
        self.init(
            at: at, auditSequence: Int64(entry), auditDigest: digest, batchSequence: Int64(batch), batchSeal: seal)
        if let found = json["signature"] {
            guard let signature = CheckpointSignature(json: found) else { return nil }
            self.signature = signature
        }
    }

    /// - Parameter line: what an anchor gives back, with whatever it puts around the checkpoint, as syslog does; `nil`
    ///   where there is none in it.
    package init?(line: [UInt8]) {
        guard let start = line.firstIndex(of: UInt8(ascii: "{")), let end = line.lastIndex(of: UInt8(ascii: "}")),
            start < end, let json = try? JSON.parse(Array(line[start...end]))
        else { return nil }
        self.init(json: json)
    }
}

/// Who vouches for a checkpoint.
package struct CheckpointSignature: Sendable, Hashable {
    /// By its name in JSON Web Algorithms: EdDSA, ES256 or RS256.
    package var algorithm: String
    /// Which key: the first 16 hexadecimal digits of SHA-256 over its public half (X.509, DER).
    package var key: String
    /// Base64.
    package var value: String

    package init(algorithm: String, key: String, value: String) {
        self.algorithm = algorithm
        self.key = key
        self.value = value
    }

    package var json: JSON { ["algorithm": .string(algorithm), "key": .string(key), "value": .string(value)] }

    package init?(json: JSON) {
        guard let algorithm = json["algorithm"]?.string, let key = json["key"]?.string,
            let value = json["value"]?.string
        else { return nil }
        self.init(algorithm: algorithm, key: key, value: value)
    }
}

/// A part of the evidence log whose batches were deleted, and what stands for them.
package struct EvidenceSegment: Sendable, Hashable {
    package var first: Int64
    package var last: Int64
    package var count: Int64
    /// The seal of the last batch, which covers each of them and all before: 64 hexadecimal digits.
    package var root: String

    package init(first: Int64, last: Int64, count: Int64, root: String) {
        self.first = first
        self.last = last
        self.count = count
        self.root = root
    }

    /// The kind of the audit entry that holds one.
    package static let auditKind = "evidence-sealed"

    package var json: JSON {
        [
            "first": .number(JSONNumber(Int(first))), "last": .number(JSONNumber(Int(last))),
            "count": .number(JSONNumber(Int(count))), "root": .string(root),
        ]
    }

    package init?(json: JSON) {
        guard let first = json["first"]?.int, let last = json["last"]?.int, let count = json["count"]?.int,
            let root = json["root"]?.string
        else { return nil }
        self.init(first: Int64(first), last: Int64(last), count: Int64(count), root: root)
    }
}
