internal import HoldfastCore
package import HoldfastCrypto
package import HoldfastJSON

/// CloudTrail's digests: each names the log files of about an hour with their hashes, and is signed; the next one holds
/// its hash and signature. Checks what of the named files is there and unchanged. Reads no file.
package struct DigestChain {
    /// What a log file turned out to be, by its name without folder and ending.
    package enum Verdict: String, Sendable {
        case verified, altered, missing
    }

    private struct Digest {
        var name: String
        var hash: String
        var from: Timestamp
        var to: Timestamp
        /// As the digest writes it.
        var end: String
        var bucket: String
        var object: String
        var account: String
        var region: String
        var keyPrint: String
        var previousHash: String?
        var previousSignature: String?
        var signature: String?
        var files: [LogFile]
    }

    private struct LogFile {
        var stem: String
        var hash: String
        var from: Timestamp?
        var to: Timestamp?
    }

    private var digests: [Digest] = []
    private var hashes: [String: String] = [:]
    private var accounts: [String: Set<String>] = [:]
    private var keys: [String: [UInt8]] = [:]
    private var faults: [String] = []
    package private(set) var verdicts: [String: Verdict] = [:]

    package init() {}

    package var isEmpty: Bool { digests.isEmpty }

    /// The name by which digests and logs are matched: without folders, and without `.json` and `.gz`.
    package static func stem(_ path: String) -> String {
        var name = path.split(separator: "/").last.map(String.init) ?? path
        for ending in [".gz", ".json"] where name.hasSuffix(ending) { name.removeLast(ending.count) }
        return name
    }

    /// Whether a file is a digest by its name.
    package static func isDigest(_ path: String) -> Bool { stem(path).contains("_CloudTrail-Digest_") }

    // MARK: What is there

    /// A public key of the trail's region, by its fingerprint.
    package mutating func add(key der: [UInt8], fingerprint: String) { keys[fingerprint] = der }

    /// A digest file.
    ///
    /// - Parameters:
    ///   - text: inflated.
    ///   - signature: in hexadecimal digits, as its object's metadata have it; `nil` where only the next digest tells.
    package mutating func add(digest text: [UInt8], name: String, signature: String?) {
        guard let json = try? JSON.parse(text), let from = time(json["digestStartTime"]),
            let to = time(json["digestEndTime"]), let object = json["digestS3Object"]?.string,
            let bucket = json["digestS3Bucket"]?.string
        else {
            faults.append("\(DigestChain.stem(name)) is no digest that can be read.")
            return
        }
        let parts = DigestChain.stem(object).split(separator: "_")
        let files = (json["logFiles"]?.array ?? []).map { file in
            LogFile(
                stem: DigestChain.stem(file["s3Object"]?.string ?? ""), hash: file["hashValue"]?.string ?? "",
                from: time(file["oldestEventTime"]), to: time(file["newestEventTime"]))
        }
        digests.append(
            Digest(
                name: DigestChain.stem(name), hash: sha256(text).description, from: from, to: to,
                end: json["digestEndTime"]?.string ?? "", bucket: bucket, object: object,
                account: json["awsAccountId"]?.string ?? "",
                region: parts.count > 2 ? String(parts[2]) : "",
                keyPrint: json["digestPublicKeyFingerprint"]?.string ?? "",
                previousHash: json["previousDigestHashValue"]?.string,
                previousSignature: json["previousDigestSignature"]?.string, signature: signature, files: files))
    }

    private func time(_ json: JSON?) -> Timestamp? { json?.string.flatMap { Timestamp($0) } }

    /// A log file.
    ///
    /// - Parameter hash: of its inflated text.
    package mutating func add(log name: String, hash: SHA256Digest) {
        hashes[DigestChain.stem(name)] = hash.description
    }

    /// Whose events a log file holds.
    package mutating func add(accounts found: Set<String>, in name: String) {
        accounts[DigestChain.stem(name), default: []].formUnion(found)
    }

    // MARK: What it comes to

    /// Checks everything, and says of the times that digests cover how much is there.
    package mutating func check() -> [Coverage.Claim] {
        var claims: [Coverage.Claim] = []
        digests.sort { ($0.region, $0.from, $0.name) < ($1.region, $1.from, $1.name) }
        for index in digests.indices { claims += check(index) }
        return claims
    }

    private mutating func check(_ index: Int) -> [Coverage.Claim] {
        let digest = digests[index]
        let next = digests.indices.contains(index + 1) ? digests[index + 1] : nil
        let follows = next.map { $0.region == digest.region && $0.previousHash != nil && $0.from == digest.to } ?? false
        let signature = digest.signature ?? (follows ? next?.previousSignature : nil)
        var trouble: [String] = []
        var known = "Digest \(digest.name): "
        if follows, next?.previousHash != digest.hash {
            trouble.append("the next digest names another hash of it: it was altered")
        }
        switch signed(digest, signature) {
        case true?: known += "signed, "
        case false?: trouble.append("its signature does not fit: it was altered")
        case nil: known += signature == nil ? "its signature is in no file here, " : "no key to check its signature, "
        }
        var partial: [Coverage.Claim] = []
        var missing = 0, altered = 0
        let affected = self.affected(by: digest)
        for file in digest.files {
            let verdict: Verdict =
                hashes[file.stem].map { $0 == file.hash ? .verified : .altered } ?? .missing
            verdicts[file.stem] = verdict
            guard verdict != .verified else { continue }
            if verdict == .missing { missing += 1 } else { altered += 1 }
            let what = verdict == .missing ? "is not there" : "is not what was signed"
            for account in affected {
                partial.append(
                    Coverage.Claim(
                        basis: .digests, account: account, region: digest.region, from: file.from ?? digest.from,
                        to: (file.to ?? digest.to) + Span(seconds: 1), state: .partial,
                        known: "Digest \(digest.name) names \(file.stem), which \(what)."))
            }
        }
        known += "\(digest.files.count - missing - altered) of \(digest.files.count) log files verified."
        faults += trouble.map { "Digest \(digest.name): \($0)." }
        let state: Coverage.State = trouble.isEmpty ? .complete : .partial
        let whole = affected.map { account in
            Coverage.Claim(
                basis: .digests, account: account, region: digest.region, from: digest.from, to: digest.to,
                state: state,
                known: trouble.isEmpty ? known : "Digest \(digest.name): \(trouble.joined(separator: "; ")).")
        }
        return whole + partial
    }

    /// `nil` where it cannot be told.
    private func signed(_ digest: Digest, _ signature: String?) -> Bool? {
        guard let signature, let der = keys[digest.keyPrint] else { return nil }
        guard let key = try? PublicKey(der: der), let raw = bytes(hex: signature) else { return false }
        // CloudTrail's own format; a trail's first digest has no predecessor.
        let text =
            "\(digest.end)\n\(digest.bucket)/\(digest.object)\n\(digest.hash)\n"
            + (digest.previousSignature ?? "null")
        return key.verifies(raw, of: Array(text.utf8))
    }

    /// Whose events the digest speaks of: what is in its files, else the trail's own account.
    private func affected(by digest: Digest) -> [String] {
        let found = digest.files.reduce(into: Set<String>()) { $0.formUnion(accounts[$1.stem] ?? []) }
        let known =
            found.isEmpty
            ? Set(
                digests.filter { $0.region == digest.region }.flatMap { $0.files }
                    .flatMap { accounts[$0.stem] ?? [] }) : found
        return known.isEmpty ? [digest.account] : known.sorted()
    }

    /// What the pack and the coverage tell of digests; log files that none names are listed.
    package var json: JSON {
        let named = Set(digests.flatMap { $0.files.map(\.stem) })
        let without = hashes.keys.filter { !named.contains($0) }.sorted()
        func list(_ verdict: Verdict) -> JSON {
            .array(verdicts.filter { $0.value == verdict }.keys.sorted().map(JSON.string))
        }
        return [
            "digests": .number(JSONNumber(digests.count)), "verified": list(.verified), "altered": list(.altered),
            "missing": list(.missing), "without-digest": .array(without.map(JSON.string)),
            "faults": .array(faults.sorted().map(JSON.string)),
        ]
    }
}
