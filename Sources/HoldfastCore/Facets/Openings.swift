internal import HoldfastJSON

/// What a packet filter really lets through, rule by rule.
///
/// An allow is open where no earlier deny takes its traffic; an earlier *allow* of the same traffic closes nothing,
/// since both must go before the traffic is stopped. Each item is one rule's share on some ports, and is split where
/// needed so that every port of an item is open to the same peers. `from` (`to` for what goes out) holds the rule's
/// own addresses and names. Where rules reach the internet only together, as 0.0.0.0/1 and 128.0.0.0/1 do on a
/// common port, each rule that the others don't contain has the word `internet` among its texts on those ports.
struct Openings {
    var rules: [FilterRule]
    /// Why there may be rules that are not among these.
    var unseen: String?
    /// Rules of this order can have no deny before them; `nil`: denies do not exist here.
    var firstOrder: Int?

    init(_ rules: [FilterRule], unseen: String? = nil, firstOrder: Int? = nil) {
        self.rules = rules
        self.unseen = unseen
        self.firstOrder = firstOrder
    }

    /// In the order of the rules.
    var items: [FacetItem] {
        var shares: [Share] = []
        for direction in FilterRule.Direction.allCases { shares += self.shares(direction) }
        shares += rules.indices.compactMap { index in
            let rule = rules[index]
            guard let reason = rule.direction.reason ?? rule.allows.reason else { return nil }
            return Share(
                rule: index, direction: .ingress, protocols: [], ports: nil, far: Peers(), nothingKnown: reason)
        }
        var seen: Set<FacetItem> = []
        return shares.sorted { $0.rank.lexicographicallyPrecedes($1.rank) }
            .map { item($0) }.filter { seen.insert($0).inserted }
    }

    /// What of one rule is open in the same way.
    private struct Share: Hashable {
        var rule: Int
        var direction: FilterRule.Direction
        /// Numbers; `nil` stands for all that have no number among the rules. Empty: every protocol.
        var protocols: [Int?]
        /// `nil` for a protocol without ports.
        var ports: PortSet?
        var far: Peers
        var reachesInternet = false
        /// Why it is not known whether a deny closes it.
        var doubt: String?
        /// Why nothing is known of the rule's effect.
        var nothingKnown: String?

        /// By rule, then protocol, then port.
        var rank: [Int] {
            let number = protocols.first.map { $0 ?? 256 } ?? -1
            return [rule, number, Int(ports?.ports.ranges.first?.lowerBound ?? 0), doubt == nil ? 0 : 1]
        }
    }

    // MARK: What is left of each rule

    private func shares(_ direction: FilterRule.Direction) -> [Share] {
        let here = rules.indices.filter { rules[$0].direction.value ?? direction == direction }
        let named = Set(rules.compactMap { $0.protocolNumber.value ?? nil } + [1, 6, 17, 58])
        let protocols: [Int?] = named.sorted() + [nil]
        var merged: [Share] = []
        var positions: [Share: Int] = [:]
        for number in protocols {
            for share in shares(direction, of: number, among: here) {
                var key = share
                key.protocols = []
                // A protocol without ports is open as others are on every port.
                key.ports = share.ports ?? .everything
                if let position = positions[key] {
                    merged[position].protocols.append(number)
                } else {
                    positions[key] = merged.count
                    merged.append(share)
                }
            }
        }
        return merged.flatMap { share -> [Share] in
            if share.protocols.count == protocols.count {
                var all = share
                all.protocols = []
                all.ports = .everything
                return [all]
            }
            return share.protocols.map { number in
                var one = share
                one.protocols = [number]
                one.ports = Openings.hasPorts(number) ? share.ports ?? .everything : nil
                return one
            }
        }
    }

    static func hasPorts(_ number: Int?) -> Bool { number == 6 || number == 17 || number == 132 }

    private func shares(_ direction: FilterRule.Direction, of number: Int?, among here: [Int]) -> [Share] {
        let matching = here.filter { index in
            let rule = rules[index]
            return rule.mayMatch(number)
                && (Openings.hasPorts(number)
                    || (rule.ports.value ?? .everything).isEverything
                        && (rule.sourcePorts.value ?? .everything).isEverything)
        }
        var certain: [(rule: Int, traffic: TrafficSet)] = []
        var shares: [Share] = []
        for index in matching {
            guard rules[index].allows.value == true, rules[index].direction.value != nil else { continue }
            let left = leftOver(of: index, against: matching)
            certain.append((index, left.open))
            if let reason = left.reason, !left.doubtful.isEmpty {
                shares.append(
                    Share(
                        rule: index, direction: direction, protocols: [number], ports: left.doubtful, far: Peers(),
                        doubt: reason))
            }
        }
        for segment in Openings.segments(certain.flatMap { $0.traffic.boxes.map(\.ports.ports) }) {
            let open = certain.compactMap { rule, traffic -> (rule: Int, far: Peers)? in
                let boxes = traffic.boxes.filter { $0.ports.contains(segment.lowerBound) }
                return boxes.isEmpty ? nil : (rule, boxes.reduce(Peers()) { $0.union($1.far) })
            }
            // Rules that are in doubt don't make others reach it.
            let reaching = Openings.reachingInternet(
                open.map { rules[$0.rule].doubt == nil ? $0.far.addresses : IPSet() })
            for (position, (rule, far)) in open.enumerated() {
                let share = Share(
                    rule: rule, direction: direction, protocols: [number], ports: nil, far: far,
                    reachesInternet: reaching.contains(position))
                let ports = PortSet(Intervals(segment))
                let same = shares.firstIndex {
                    $0.rule == rule && $0.far == far && $0.reachesInternet == share.reachesInternet && $0.doubt == nil
                }
                if let same {
                    shares[same].ports?.formUnion(ports)
                } else {
                    shares.append(share)
                    shares[shares.count - 1].ports = ports
                }
            }
        }
        return shares
    }

    /// What no earlier deny takes from a rule, and the ports on which one may, with the reason.
    private func leftOver(
        of index: Int, against matching: [Int]
    ) -> (open: TrafficSet, doubtful: PortSet, reason: String?) {
        let rule = rules[index]
        var open = TrafficSet([rule.reach])
        var perhaps: [(box: TrafficBox, reason: String)] = []
        for other in matching where rules[other].allows.value != true {
            let deny = rules[other]
            var doubt = deny.doubt
            if let own = rule.order.value, let theirs = deny.order.value {
                if (theirs, other) > (own, index) { continue }
            } else {
                doubt = doubt ?? rule.order.reason
            }
            if let doubt {
                perhaps.append((deny.reach, doubt))
            } else if let left = open.subtracting(deny.reach) {
                open = left
            } else {
                perhaps.append((rule.reach, "the deny rules cut it into too many pieces"))
            }
        }
        if let unseen, let firstOrder, rule.order.value ?? .max > firstOrder {
            perhaps.append((rule.reach, unseen))
        }
        var doubtful = PortSet()
        var reason: String?
        for (box, why) in perhaps {
            let taken = open.boxes.map { $0.intersection(box) }.filter { !$0.isEmpty }
            if taken.isEmpty { continue }
            reason = reason ?? why
            taken.forEach { doubtful.formUnion($0.ports) }
            // Too many pieces: all of it is in doubt, none of it is certain.
            open = open.subtracting(box) ?? TrafficSet([])
        }
        return (open, doubtful, reason)
    }

    // MARK: Who reaches the internet

    /// The ranges between all ends of ranges, so that each set holds all or nothing of each.
    private static func segments(_ sets: [Intervals<UInt16>]) -> [ClosedRange<UInt16>] {
        var starts: Set<Int> = []
        for range in sets.flatMap(\.ranges) {
            starts.insert(Int(range.lowerBound))
            starts.insert(Int(range.upperBound) + 1)
        }
        let sorted = starts.sorted()
        return zip(sorted, sorted.dropFirst()).map { UInt16($0)...UInt16($1 - 1) }
    }

    /// Which of the sets reach the internet, alone or with others; IPv4 and IPv6 count separately. A set that lies
    /// in a larger one adds nothing, unless the rest would still be the internet without the larger ones.
    static func reachingInternet(_ sets: [IPSet]) -> Set<Int> {
        let open = sets.map { $0.intersection(.publicInternet) }
        return reaching(open.map { IPSet(v4: $0.v4) }).union(reaching(open.map { IPSet(v6: $0.v6) }))
    }

    private static func reaching(_ open: [IPSet]) -> Set<Int> {
        var found = Set(open.indices.filter { open[$0].coversInternet })
        while true {
            let rest = open.indices.filter { !found.contains($0) && !open[$0].isEmpty }
            guard rest.reduce(IPSet(), { $0.union(open[$1]) }).coversInternet else { return found }
            found.formUnion(
                rest.filter { own in
                    !rest.contains { open[own] != open[$0] && open[own].isSubset(of: open[$0]) }
                })
        }
    }

    // MARK: Items

    private func item(_ share: Share) -> FacetItem {
        let rule = rules[share.rule]
        if let reason = share.nothingKnown { return FacetItem(value: .unknown(reason), source: rule.source) }
        var peers = share.far.texts
        if share.reachesInternet, !share.far.addresses.coversInternet { peers.insert("internet", at: 0) }
        let far: StateValue = (share.doubt ?? rule.far.reason).map { .unknown($0) } ?? Openings.list(peers)
        let ports: StateValue =
            rule.ports.reason.map { .unknown($0) } ?? share.ports.map { Openings.list($0.texts) }
            ?? .absent
        let name: StateValue =
            rule.protocolNumber.reason.map { .unknown($0) }
            ?? .scalar(.string(share.protocols.first.map(Openings.name) ?? "any"))
        var map = StateMap([
            ("direction", .scalar(.string(share.direction.rawValue))), ("protocol", name),
            (share.direction == .ingress ? "from" : "to", far),
            ("element", .scalar(.string(rule.source.path.description))),
        ])
        if ports != .absent { map["ports"] = ports }
        return FacetItem(value: .map(map), source: rule.source)
    }

    private static func list(_ texts: [String]) -> StateValue {
        .list(StateList(texts.map { .init(value: .scalar(.string($0))) }))
    }

    private static let names: [Int: String] = [
        1: "icmp", 6: "tcp", 17: "udp", 50: "esp", 51: "ah", 58: "icmpv6", 94: "ipip", 132: "sctp",
    ]

    /// `tcp`; a number that has no name here as text; `other` for all further ones that no rule names.
    static func name(_ number: Int?) -> String { number.map { names[$0] ?? "\($0)" } ?? "other" }

    /// A protocol as the clouds write it: a name, a number, `-1`, `all`, `any` or `*`.
    static func protocolNumber(_ value: StateValue, _ what: String) -> Reading<Int?> {
        value.text(what).map { text in
            guard let text = text?.lowercased() else { return .unknown("\(what) is not set") }
            if ["-1", "all", "any", "*"].contains(text) { return .known(nil) }
            if let number = names.first(where: { $0.value == text })?.key { return .known(number) }
            guard let number = Int(text), (0...255).contains(number) else {
                return .unknown("\(what) “\(text)” is no protocol that is known here")
            }
            return .known(number)
        }
    }
}
