internal import HoldfastCore
internal import Synchronization

/// Carries records from the cloud to the broker: late, doubled, out of order, or not at all.
final class Courier: Sendable {
    struct Parcel: Sendable {
        var due: Timestamp
        var record: [UInt8]
        /// `nil` for one that cannot be read.
        var id: String?
    }
    private let cloud: FakeCloud
    private let clock: VirtualClock
    private let faults: FaultPlan
    private let underWay = Mutex<[Parcel]>([])

    init(cloud: FakeCloud, clock: VirtualClock, faults: FaultPlan) {
        self.cloud = cloud
        self.clock = clock
        self.faults = faults
    }

    /// A record finds its way, or does not.
    func take(_ change: FakeCloud.Change) {
        if faults.fires(.lost) { return }
        let now = clock.cloudTime()
        var parcels: [Parcel] = []
        if faults.fires(.malformed) {
            parcels.append(Parcel(due: now, record: Array(change.record.dropLast(7)), id: nil))
        }
        var wait = 0
        if faults.fires(.late) { wait = faults.number(5_000...60_000) }
        if faults.fires(.outOfOrder) { wait = faults.number(200...5_000) }
        for copy in 0..<(faults.fires(.doubled) ? 2 : 1) {
            let milliseconds = Int64(wait + copy * faults.number(0...3_000))
            parcels.append(
                Parcel(
                    due: now + Span(nanoseconds: milliseconds * 1_000_000), record: change.record, id: change.eventID))
        }
        underWay.withLock { $0 += parcels }
    }

    /// What arrives by now, in the order of its arrival.
    func arriving(all: Bool) -> [Parcel] {
        for change in cloud.takeTold() { take(change) }
        let now = clock.cloudTime()
        return underWay.withLock { underWay in
            let due = underWay.enumerated().filter { all || $0.element.due <= now }
                .sorted { ($0.element.due, $0.offset) < ($1.element.due, $1.offset) }.map(\.element)
            underWay.removeAll { all || $0.due <= now }
            return due
        }
    }
}
