internal import HoldfastCore

/// A file of CloudTrail by its name, `111122223333_CloudTrail_us-east-1_20230710T1145Z_7xgocspSowgK0Gto.json.gz`: it
/// tells the minute of the delivery. Whose events the file holds, they say themselves.
package struct TrailDelivery: Sendable, Hashable {
    /// Seconds since 1970, a multiple of ``DeliverySequence/step``.
    package var slot: Int64

    /// `nil` where the name is none of CloudTrail's.
    ///
    /// - Parameter name: a file's name or path.
    package init?(name: String) {
        let last = name.split(separator: "/").last.map(String.init) ?? name
        let parts = last.split(separator: "_")
        guard parts.count == 5, parts[1] == "CloudTrail", parts[0].allSatisfy(\.isNumber) else { return nil }
        let stamp = Array(parts[3])
        guard stamp.count == 14, stamp[8] == "T", stamp[13] == "Z" else { return nil }
        let text =
            "\(String(stamp[0..<4]))-\(String(stamp[4..<6]))-\(String(stamp[6..<8]))T"
            + "\(String(stamp[9..<11])):\(String(stamp[11..<13])):00Z"
        guard let time = Timestamp(text) else { return nil }
        let seconds = time.nanoseconds / 1_000_000_000
        slot = seconds - seconds % DeliverySequence.step
    }
}

/// What the times of deliveries say: a trail delivers about every five minutes while something happens.
struct DeliverySequence {
    /// Seconds between two deliveries.
    static let step: Int64 = 300
    let slots: Set<Int64>

    /// - Parameter hour: seconds since 1970.
    func judge(hour: Int64, from: Timestamp, to: Timestamp, events: Int) -> (Coverage.State, String) {
        let first = slots.min() ?? hour
        let last = slots.max() ?? hour
        let end = to.nanoseconds / 1_000_000_000
        let here = slots.filter { $0 >= hour && $0 < max(end, hour + 3600) }
        guard !here.isEmpty else {
            return events > 0
                ? (.partial, "Events were seen, and no file was delivered in this time.")
                : (.missing, "No file was delivered for this time.")
        }
        var expected: [Int64] = []
        var slot = max(hour, first)
        while slot < min(hour + 3600, max(last + 1, min(end, hour + 3600))) {
            expected.append(slot)
            slot += Self.step
        }
        let empty = expected.filter { !here.contains($0) }
        let files = "\(here.count) of \(expected.count) five-minute deliveries are there"
        if empty.isEmpty {
            return (.complete, "Files listed: \(files), none is left out; no digest was checked for this time.")
        }
        let times = empty.prefix(6).map { Timestamp(seconds: $0).description.dropFirst(11).prefix(5) + "Z" }
        let names = times.joined(separator: ", ") + (empty.count > 6 ? ", …" : "")
        return (
            .partial,
            "Files listed: \(files); none of \(names). A trail delivers nothing while nothing happens; only a digest "
                + "tells whether a file is missing."
        )
    }
}
