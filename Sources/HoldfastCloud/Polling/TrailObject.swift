package import HoldfastCore

/// An object in S3, as something names it to be read.
package struct LogObject: Sendable, Hashable, CustomStringConvertible {
    package var bucket: String
    package var key: String
    /// Of the object's content, without quotes; empty where it was not said.
    package var etag: String
    /// Where the bucket is; empty where it was not said.
    package var region: String

    package init(bucket: String, key: String, etag: String = "", region: String = "") {
        self.bucket = bucket
        self.key = key
        self.etag = etag
        self.region = region
    }

    /// What makes two namings mean the same: one that does not say its content is another than one that does.
    var identity: String { etag.isEmpty ? description : "\(description)#\(etag)" }
    package var description: String { "s3://\(bucket)/\(key)" }
}

/// A key by which CloudTrail writes its files: `PREFIX/AWSLogs/[o-ORGANISATION/]ACCOUNT/CloudTrail/REGION/2026/11/22/`
/// and in there `ACCOUNT_CloudTrail_REGION_20261122T0805Z_X.json.gz`.
package struct TrailKey: Sendable, Hashable {
    /// Everything up to the region, with its slash: `AWSLogs/012345670123/CloudTrail/eu-west-1/`.
    package var base: String
    package var account: String
    package var region: String
    /// When CloudTrail wrote the file, by its name: to the minute.
    package var written: Timestamp

    /// `nil` for every other key: digests, insights, other services' logs.
    package init?(_ key: String) {
        let parts = key.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count >= 8, let name = parts.last, name.hasSuffix(".json.gz") || name.hasSuffix(".json") else {
            return nil
        }
        let trail = parts.count - 6
        let words = name.split(separator: "_", maxSplits: 4, omittingEmptySubsequences: false).map(String.init)
        guard parts[trail] == "CloudTrail", parts[..<trail].contains("AWSLogs"), words.count == 5,
            words[0] == parts[trail - 1], words[1] == "CloudTrail", words[2] == parts[trail + 1],
            let written = TrailKey.time(words[3])
        else { return nil }
        account = words[0]
        region = words[2]
        base = parts[...(trail + 1)].map { $0 + "/" }.joined()
        self.written = written
    }

    /// `20261122T0805Z`
    private static func time(_ text: String) -> Timestamp? {
        let digits = Array(text)
        guard digits.count == 14 else { return nil }
        func part(_ range: Range<Int>) -> String { String(digits[range]) }
        return Timestamp(
            "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))\(part(8..<9))\(part(9..<11)):\(part(11..<13)):00\(digits[13])"
        )
    }
}

/// A place in a bucket below which CloudTrail writes the files of one account and region, in the order of time.
package struct TrailFolder: Sendable, Hashable {
    /// `AWSLogs/012345670123/CloudTrail/eu-west-1/`
    package var base: String

    package init(base: String) { self.base = base }

    /// `012345670123/eu-west-1`
    package var name: String {
        let parts = base.split(separator: "/")
        return parts.count < 3 ? base : "\(parts[parts.count - 3])/\(parts[parts.count - 1])"
    }

    /// What every key of a file that was written before this minute comes before, and no other key of this folder.
    package func marker(_ time: Timestamp) -> String {
        let text = time.roundedDown.description.filter { $0 != "-" && $0 != ":" }
        let (year, month, day) = (text.prefix(4), text.dropFirst(4).prefix(2), text.dropFirst(6).prefix(2))
        let parts = name.split(separator: "/")
        return "\(base)\(year)/\(month)/\(day)/\(parts.first ?? "")_CloudTrail_\(parts.last ?? "")_\(text.prefix(13))"
    }
}
