internal import HoldfastJSON

extension Openings {
    /// A firewall by the REST resource: one firewall is one rule that allows *or* denies. A deny or a disabled rule
    /// opens nothing; what the denies of other firewalls of the network close cannot be seen from one. An item is
    /// one element of `allowed`; who it is open to stands beside it, in ranges, tags and service accounts, of which
    /// any one is enough. Without any of them it is every IPv4 address.
    static func firewall(_ document: StateValue) -> FacetValue {
        let allowed = PropertyPath(names: "allowed")
        let list = document[allowed].elements(at: allowed)
        if list.elements.isEmpty, list.open == nil { return .items([], openBecause: nil) }
        if case .known(true) = document[member: "disabled"].bool("disabled", default: false) {
            return .items([], openBecause: nil)
        }
        if list.open != nil, !document[member: "denied"].elements(at: allowed).elements.isEmpty {
            return .items([], openBecause: nil)
        }
        let direction: Reading<FilterRule.Direction> = document[member: "direction"].text("direction").map { text in
            switch text?.uppercased() {
            case nil, "INGRESS"?: .known(.ingress)
            case "EGRESS"?: .known(.egress)
            default: .unknown("direction is neither INGRESS nor EGRESS")
            }
        }
        let allows = document[member: "disabled"].bool("disabled", default: false).map { Reading.known(!$0) }
        let far = firewallPeers(document, direction.value)
        let rules = list.elements.map { source, value in
            FilterRule(
                source: source, direction: direction, allows: allows, order: .known(0),
                protocolNumber: protocolNumber(value[member: "IPProtocol"], "\(source.path).IPProtocol"),
                ports: firewallPorts(value[member: "ports"], source.path), far: far)
        }
        return .items(Openings(rules).items, openBecause: list.open)
    }

    /// No ports are all ports.
    private static func firewallPorts(_ value: StateValue, _ path: PropertyPath) -> Reading<PortSet> {
        value.texts("\(path).ports").map { texts in
            if texts.isEmpty { return .known(.everything) }
            guard let ports = try? PortSet(JSON.array(texts.map(JSON.string))) else {
                return .unknown("\(path).ports “\(texts.joined(separator: ", "))” are no ports")
            }
            return .known(ports)
        }
    }

    private static func firewallPeers(_ document: StateValue, _ direction: FilterRule.Direction?) -> Reading<Peers> {
        let ranges = direction == .egress ? "destinationRanges" : "sourceRanges"
        return document[member: ranges].texts(ranges).map { texts in
            guard let addresses = try? IPSet(JSON.array(texts.map(JSON.string))) else {
                return .unknown("\(ranges) “\(texts.joined(separator: ", "))” are no ranges of addresses")
            }
            var names: [String] = []
            let ends = direction == .egress ? [] : [("sourceTags", "tag"), ("sourceServiceAccounts", "account")]
            for (name, prefix) in ends {
                switch document[member: name].texts(name) {
                // Tags only add machines of the network to ranges that are there.
                case .unknown(let reason): if texts.isEmpty { return .unknown(reason) }
                case .known(let found): names += found.map { "\(prefix):\($0)" }
                }
            }
            if texts.isEmpty, names.isEmpty { return .known(Peers(IPSet(v4: .everything))) }
            return .known(Peers(addresses, names: names))
        }
    }
}
