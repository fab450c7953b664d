import Foundation
import HoldfastCore
import HoldfastCrypto
import HoldfastEngine
import HoldfastFiles
import HoldfastJSON

/// CloudTrail's digests among the files of a replay: reads them, and hashes the log files that they may name.
struct DigestFiles {
    let paths: [String]
    /// The path of a list of public keys.
    let keys: String?

    /// CloudTrail's files stay below 50 MB.
    private static let limit: Int64 = 256 << 20

    /// Adds what the digests say to the coverage; nothing where there are none.
    ///
    /// - Parameter accounts: whose events each file holds.
    func check(_ coverage: inout Coverage, source: String, accounts: [String: Set<String>]) throws {
        let files = EventFiles.list(paths).map(\.path)
        let digests = files.filter(DigestChain.isDigest)
        guard !digests.isEmpty else { return }
        var chain = DigestChain()
        try addKeys(to: &chain)
        for path in digests {
            guard let text = inflated(path) else {
                coverage.addUnreadable("the digest cannot be read", at: path, of: source)
                continue
            }
            chain.add(digest: text, name: path, signature: signature(beside: path))
        }
        for path in files where TrailDelivery(name: path) != nil {
            guard let text = inflated(path) else { continue }
            chain.add(log: path, hash: sha256(text))
            chain.add(accounts: accounts[path] ?? [], in: path)
        }
        for claim in chain.check() { coverage.add(claim, of: source) }
        coverage.digests = chain.json
    }

    private func inflated(_ path: String) -> [UInt8]? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        let raw = [UInt8](data)
        return raw.starts(with: [0x1F, 0x8B]) ? try? GzipReader.inflate(whole: raw, limit: Self.limit) : raw
    }

    /// `DIGEST.sig`: the object's metadata `signature`, which a copy of a bucket leaves behind.
    private func signature(beside path: String) -> String? {
        FileManager.default.contents(atPath: path + ".sig").map {
            String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }

    private func addKeys(to chain: inout DigestChain) throws {
        guard let keys else { return }
        guard let data = FileManager.default.contents(atPath: keys), let json = try? JSON.parse([UInt8](data)) else {
            throw Failure("\(keys) is no JSON that can be read; make it with `aws cloudtrail list-public-keys`")
        }
        for key in json["PublicKeyList"]?.array ?? [] {
            guard let text = key["Value"]?.string, let value = Data(base64Encoded: text),
                let print = key["Fingerprint"]?.string
            else { throw Failure("\(keys): a key has a Value in base64 and a Fingerprint") }
            chain.add(key: [UInt8](value), fingerprint: print)
        }
    }
}
