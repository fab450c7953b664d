internal import HoldfastJSON

extension Openings {
    /// A network security group with its rules, by the ARM body. The lowest priority number decides first; denies
    /// take from the allows behind them. Default rules count where they are in the document, and where they are not
    /// they change nothing: what they allow in comes from the virtual network and the load balancer.
    ///
    /// `*` is every address, `Internet` every public one. Other service tags and application security groups stay
    /// names: they are not the internet. As a destination of what comes in `VirtualNetwork` is everything, since
    /// rules are applied after public addresses have become private ones.
    static func networkSecurityGroup(_ document: StateValue) -> FacetValue {
        var rules: [FilterRule] = []
        var open: String?
        for name in ["securityRules", "defaultSecurityRules"] {
            let path = PropertyPath(names: "properties", name)
            let list = document[path].elements(at: path)
            rules += list.elements.map { securityRule($0.value, $0.source) }
            if name == "securityRules" { open = list.open }
        }
        return .items(Openings(rules, unseen: open, firstOrder: 100).items, openBecause: open)
    }

    private static func securityRule(_ value: StateValue, _ source: FacetSource) -> FilterRule {
        var source = source
        if source.key == nil, case .known(let name) = value[member: "name"].text("name") { source.key = name }
        let body = value[member: "properties"]
        let path = "\(source.path)"
        let direction: Reading<FilterRule.Direction> = body[member: "direction"].text("direction").map { text in
            switch text?.lowercased() {
            case "inbound": .known(.ingress)
            case "outbound": .known(.egress)
            default: .unknown("\(path) is neither inbound nor outbound")
            }
        }
        let isEgress = direction.value == .egress
        return FilterRule(
            source: source, direction: direction,
            allows: body[member: "access"].text("access").map { text in
                switch text?.lowercased() {
                case "allow": .known(true)
                case "deny": .known(false)
                default: .unknown("\(path) neither allows nor denies")
                }
            },
            order: body[member: "priority"].int("\(path) priority").map { order in
                order.map { .known($0) } ?? .unknown("\(path) has no priority")
            },
            protocolNumber: protocolNumber(body[member: "protocol"], "\(path) protocol"),
            ports: securityRulePorts(body, "destination", path),
            sourcePorts: securityRulePorts(body, "source", path),
            far: securityRulePeers(body, isEgress ? "destination" : "source", path),
            near: securityRulePeers(body, isEgress ? "source" : "destination", path).map { near in
                near.names.contains { $0.lowercased() == "virtualnetwork" } ? .known(.everything) : .known(near)
            })
    }

    private static func both(_ body: StateValue, _ one: String, _ many: String, _ path: String) -> Reading<[String]> {
        body[member: one].texts("\(path) \(one)").map { first in
            body[member: many].texts("\(path) \(many)").map { .known((first + $0).filter { !$0.isEmpty }) }
        }
    }

    private static func securityRulePorts(_ body: StateValue, _ end: String, _ path: String) -> Reading<PortSet> {
        both(body, "\(end)PortRange", "\(end)PortRanges", path).map { texts in
            guard !texts.isEmpty else { return .unknown("\(path) has no \(end) ports") }
            guard let ports = try? PortSet(JSON.array(texts.map(JSON.string))) else {
                return .unknown("\(path): “\(texts.joined(separator: ", "))” are no \(end) ports")
            }
            return .known(ports)
        }
    }

    private static func securityRulePeers(_ body: StateValue, _ end: String, _ path: String) -> Reading<Peers> {
        both(body, "\(end)AddressPrefix", "\(end)AddressPrefixes", path).map { texts in
            let groups = body[member: "\(end)ApplicationSecurityGroups"].elements(at: PropertyPath())
            var ids: [String] = []
            for (_, group) in groups.elements {
                if case .known(let id?) = group[member: "id"].text("id") { ids.append(id.lowercased()) }
            }
            let peers = Peers(texts: texts)
            let all = Peers(peers.addresses, names: peers.names + ids)
            if !all.isEmpty { return .known(all) }
            return .unknown(groups.open ?? "\(path) has no \(end)")
        }
    }
}
