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
        /// The anchor has seen rows after the last one.
        case cut
        /// The anchor has seen another row in this place: it and perhaps those before it were made anew.
        case rewritten
        /// A line of the anchor is no checkpoint.
        case anchor
    }

    package struct Fault: Sendable, Hashable {
        package var log: Log
        package var kind: Kind
        /// The row, the first missing row, or the anchor's line.
        package var sequence: Int64
        /// A sentence for people.
        package var message: String
    }

    /// Audit entries read.
    package internal(set) var entries: Int64 = 0
    /// Batches of the evidence log read.
    package internal(set) var batches: Int64 = 0
    /// The anchor's file; `nil` where none was asked.
    package internal(set) var anchor: String?
    /// Checkpoints compared.
    package internal(set) var checkpoints: Int64 = 0
    /// Up to which audit entry the anchor vouches that nothing was cut off or made anew.
    package internal(set) var anchoredEntries: Int64 = 0
    /// Likewise of the evidence log.
    package internal(set) var anchoredBatches: Int64 = 0
    /// The first thousand, in the order found.
    package internal(set) var faults: [Fault] = []
    /// How many there are in all.
    package internal(set) var faultCount = 0

    package var isIntact: Bool { faultCount == 0 }

    /// What this walk could not have seen.
    package var blindSpots: [String] {
        guard let anchor else {
            return [
                "without an anchor it cannot be seen whether the newest rows were cut off, or all of them made anew; "
                    + "name the file of `audit: anchor:`"
            ]
        }
        guard checkpoints > 0 else {
            return ["the anchor \(anchor) has no checkpoint: it vouches for nothing"]
        }
        var spots: [String] = []
        if entries > anchoredEntries {
            spots.append("the audit entries after \(anchoredEntries) are not anchored yet")
        }
        if batches > anchoredBatches {
            spots.append("the batches of evidence after \(anchoredBatches) are not anchored yet")
        }
        return spots
    }

    mutating func add(_ kind: Kind, _ log: Log, _ sequence: Int64, _ message: String) {
        faultCount += 1
        if faults.count < 1000 {
            faults.append(Fault(log: log, kind: kind, sequence: sequence, message: message))
        }
    }
}
