/// What a walk over both logs found.
package struct AuditReport: Sendable, Hashable {
    package enum Log: String, Sendable, Hashable {
        case audit, evidence
    }

    package enum Kind: String, Sendable, Hashable {
        /// The row does not have the digest that its content has.
        case edited
        /// Rows between two others are missing.
        case gap
        /// The row does not follow the one before it: one of the two was replaced, with a digest that fits its content.
        case broken
        /// A checkpoint has seen rows after the last one.
        case cut
        /// A checkpoint has seen another row in this place: it and perhaps those before it were made anew.
        case rewritten
        /// A line of an anchor, or of an export, is not what it should be.
        case unreadable
        /// A checkpoint was not signed by any of the keys that were given, or was changed since.
        case forged
    }

    package struct Fault: Sendable, Hashable {
        package var log: Log
        package var kind: Kind
        /// The row, the first missing row, or the line.
        package var sequence: Int64
        /// A sentence for people.
        package var message: String
    }

    /// What the checkpoints of one place vouch for.
    package struct Witness: Sendable, Hashable {
        /// An anchor's path, or whose own checkpoints these are.
        package var name: String
        package var isAnchor: Bool
        /// Checkpoints compared.
        package var checkpoints: Int64 = 0
        /// Of these, signed by one of the keys that were given.
        package var signed: Int64 = 0
        /// Of these, without a signature.
        package var unsigned: Int64 = 0
        /// Up to which audit entry it vouches that nothing was made anew and, an anchor, that nothing was cut off.
        package var entries: Int64 = 0
        /// Likewise of the evidence log.
        package var batches: Int64 = 0
    }

    /// The journal, or the exported file.
    package var isExport = false
    /// The first audit entry, where it is not 1 and may be so.
    package internal(set) var firstEntry: Int64 = 1
    /// Audit entries read.
    package internal(set) var entries: Int64 = 0
    /// The number of the last one.
    package internal(set) var lastEntry: Int64 = 0
    /// Batches of the evidence log read.
    package internal(set) var batches: Int64 = 0
    /// The number of the last one.
    package internal(set) var lastBatch: Int64 = 0
    /// Batches that records in the audit log stand for.
    package internal(set) var sealedBatches: Int64 = 0
    /// The journal's own checkpoints last.
    package internal(set) var witnesses: [Witness] = []
    /// Whether signatures could be checked.
    package internal(set) var hasKeys = false
    /// The first thousand, in the order found.
    package internal(set) var faults: [Fault] = []
    /// How many there are in all.
    package internal(set) var faultCount = 0

    package var isIntact: Bool { faultCount == 0 }

    /// What this walk could not have seen.
    package var blindSpots: [String] {
        var spots: [String] = []
        if isExport { spots.append(contentsOf: ends) }
        let anchors = witnesses.filter(\.isAnchor)
        if anchors.isEmpty {
            spots.append(
                "without an anchor it cannot be seen whether the newest rows were cut off"
                    + (hasKeys ? "" : ", or all of them made anew") + "; name what `audit: anchor:` was written to")
        }
        for anchor in anchors { spots += blindSpots(of: anchor) }
        return spots + signatureSpots
    }

    private var ends: [String] {
        (firstEntry > 1 ? ["what is before audit entry \(firstEntry) is not in this file"] : [])
            + ["what is after audit entry \(lastEntry) is not in this file", "the evidence is not in this file"]
    }

    private func blindSpots(of anchor: Witness) -> [String] {
        guard anchor.checkpoints > 0 else {
            return ["the anchor \(anchor.name) has no checkpoint: it vouches for nothing"]
        }
        var spots: [String] = []
        if lastEntry > anchor.entries {
            spots.append("the audit entries after \(anchor.entries) are not anchored in \(anchor.name)")
        }
        if !isExport, lastBatch > anchor.batches {
            spots.append("the batches of evidence after \(anchor.batches) are not anchored in \(anchor.name)")
        }
        return spots
    }

    private var signatureSpots: [String] {
        let checkpoints = witnesses.reduce(0) { $0 + $1.checkpoints }
        let unsigned = witnesses.reduce(0) { $0 + $1.unsigned }
        var spots: [String] = []
        if unsigned > 0 {
            spots.append(
                "\(unsigned) of \(checkpoints) checkpoints are not signed: whoever can write to where they are kept "
                    + "can make others; `keys: audit:` has them signed")
        }
        if !hasKeys, checkpoints > unsigned {
            spots.append("no signature was checked; give the public key with --key")
        }
        if hasKeys, checkpoints == 0 { spots.append("there is no checkpoint whose signature could be checked") }
        return spots
    }

    mutating func add(_ kind: Kind, _ log: Log, _ sequence: Int64, _ message: String) {
        faultCount += 1
        if faults.count < 1000 {
            faults.append(Fault(log: log, kind: kind, sequence: sequence, message: message))
        }
    }
}
