/// One rule of a packet filter, in any cloud.
struct FilterRule: Sendable {
    enum Direction: String, Sendable, CaseIterable { case ingress, egress }

    var source: FacetSource
    var direction: Reading<Direction>
    var allows: Reading<Bool>
    /// Lower numbers decide first. Of rules with one number the earlier in the list decides.
    var order: Reading<Int>
    /// An IANA protocol number; `nil`: every protocol.
    var protocolNumber: Reading<Int?>
    /// The destination's ports. Protocols without ports match only where these are everything.
    var ports: Reading<PortSet>
    var sourcePorts: Reading<PortSet> = .known(.everything)
    /// Who is at the other end: the source of what comes in, the destination of what goes out.
    var far: Reading<Peers>
    /// Which of the protected addresses it is about.
    var near: Reading<Peers> = .known(.everything)

    /// Everything that the rule may match but for its protocol; what is not known counts as everything.
    var reach: TrafficBox {
        TrafficBox(
            ports: ports.value ?? .everything, sourcePorts: sourcePorts.value ?? .everything,
            far: far.value ?? .everything, near: near.value ?? .everything)
    }

    func mayMatch(_ number: Int?) -> Bool {
        guard case .known(let own?) = protocolNumber else { return true }
        return own == number
    }

    /// Why it is not known exactly what the rule matches and when; `nil` where it is.
    var doubt: String? {
        direction.reason ?? allows.reason ?? order.reason ?? protocolNumber.reason ?? ports.reason
            ?? sourcePorts.reason ?? far.reason ?? near.reason
    }
}

/// A product of ports and peers: some traffic of one protocol in one direction.
struct TrafficBox: Sendable, Hashable {
    var ports: PortSet
    var sourcePorts: PortSet
    var far: Peers
    var near: Peers

    var isEmpty: Bool { ports.isEmpty || sourcePorts.isEmpty || far.isEmpty || near.isEmpty }

    func intersection(_ other: TrafficBox) -> TrafficBox {
        TrafficBox(
            ports: ports.intersection(other.ports), sourcePorts: sourcePorts.intersection(other.sourcePorts),
            far: far.intersection(other.far), near: near.intersection(other.near))
    }

    /// What is left, as boxes that do not overlap.
    func subtracting(_ other: TrafficBox) -> [TrafficBox] {
        let common = intersection(other)
        if common.isEmpty { return [self] }
        var left: [TrafficBox] = []
        var rest = self
        func cut<T>(_ part: WritableKeyPath<TrafficBox, T>, outside: T, inside: T) {
            var box = rest
            box[keyPath: part] = outside
            if !box.isEmpty { left.append(box) }
            rest[keyPath: part] = inside
        }
        cut(\.far, outside: far.subtracting(other.far), inside: common.far)
        cut(\.ports, outside: ports.subtracting(other.ports), inside: common.ports)
        cut(\.near, outside: near.subtracting(other.near), inside: common.near)
        cut(\.sourcePorts, outside: sourcePorts.subtracting(other.sourcePorts), inside: common.sourcePorts)
        return left
    }
}

/// Some traffic as boxes that do not overlap.
struct TrafficSet: Sendable, Hashable {
    /// Denies that cut traffic into more pieces than this leave it in doubt: nobody writes such rules, and an
    /// evaluation must end.
    static let limit = 4096

    var boxes: [TrafficBox]
    init(_ boxes: [TrafficBox]) { self.boxes = boxes.filter { !$0.isEmpty } }

    /// `nil` where there would be too many pieces.
    func subtracting(_ box: TrafficBox) -> TrafficSet? {
        var left: [TrafficBox] = []
        for own in boxes {
            left += own.subtracting(box)
            if left.count > TrafficSet.limit { return nil }
        }
        return TrafficSet(left)
    }
}
