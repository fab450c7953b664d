internal import HoldfastJSON

extension Openings {
    /// A security group by CloudFormation's properties. There are no denies; what comes in and what goes out are
    /// separate lists. Where nobody read what goes out, one item says so, and what comes in stays usable.
    static func securityGroup(_ document: StateValue, _ context: FacetContext) -> FacetValue {
        var rules: [FilterRule] = []
        let ingress = list("SecurityGroupIngress", .ingress, document, context, &rules)
        let egress = list("SecurityGroupEgress", .egress, document, context, &rules)
        if let egress {
            let path = PropertyPath(names: "SecurityGroupEgress")
            rules.append(
                FilterRule(
                    source: FacetSource(path: path, key: nil, actual: document[path].json),
                    direction: .known(.egress), allows: .known(true), order: .known(0),
                    protocolNumber: .unknown(egress), ports: .unknown(egress), far: .unknown(egress)))
        }
        return .items(Openings(rules).items, openBecause: ingress)
    }

    /// - Returns: why there may be further rules.
    private static func list(
        _ name: String, _ direction: FilterRule.Direction, _ document: StateValue, _ context: FacetContext,
        _ rules: inout [FilterRule]
    ) -> String? {
        let path = PropertyPath(names: name)
        let list = document[path].elements(at: path)
        for (source, value) in list.elements {
            let number = protocolNumber(value[member: "IpProtocol"], "\(source.path).IpProtocol")
            rules.append(
                FilterRule(
                    source: source, direction: .known(direction), allows: .known(true), order: .known(0),
                    protocolNumber: number, ports: ports(value, number, "FromPort", "ToPort", source.path),
                    far: securityGroupPeers(value, source.path, context)))
        }
        return list.open
    }

    /// Only TCP and UDP have ports; with any other protocol AWS ignores those that are given. Ends that are missing
    /// or -1 are not limits.
    private static func ports(
        _ value: StateValue, _ number: Reading<Int?>, _ from: String, _ to: String, _ path: PropertyPath
    ) -> Reading<PortSet> {
        if case .known(let number) = number, number != 6, number != 17 { return .known(.everything) }
        return value[member: from].int("\(path).\(from)").map { low in
            value[member: to].int("\(path).\(to)").map { high in
                let low = max(low ?? 0, 0)
                let high = high.map { $0 < 0 ? 65535 : $0 } ?? 65535
                guard low <= high, high <= 65535 else { return .unknown("\(path): \(low)-\(high) are no ports") }
                return .known(PortSet(Intervals(UInt16(low)...UInt16(high))))
            }
        }
    }

    private static func securityGroupPeers(
        _ value: StateValue, _ path: PropertyPath, _ context: FacetContext
    ) -> Reading<Peers> {
        if case .unknown(let reason) = value { return .unknown(reason) }
        var peers = Peers()
        for name in ["CidrIp", "CidrIpv6"] {
            switch value[member: name].text("\(path).\(name)") {
            case .unknown(let reason): return .unknown(reason)
            case .known(nil): continue
            case .known(let text?):
                guard let set = try? IPSet(text) else { return .unknown("\(path).\(name) “\(text)” is no range") }
                peers = peers.union(Peers(set))
            }
        }
        for name in ["SourcePrefixListId", "DestinationPrefixListId"] {
            switch value[member: name].text("\(path).\(name)") {
            case .unknown(let reason): return .unknown(reason)
            case .known(nil): continue
            case .known(let id?):
                guard let set = context.prefixLists[id] else { return .unknown("what \(id) holds was not read") }
                peers = peers.union(Peers(set))
            }
        }
        let groups = ["SourceSecurityGroupId", "DestinationSecurityGroupId", "SourceSecurityGroupName"]
        for name in groups {
            switch value[member: name].text("\(path).\(name)") {
            // A group is never the internet: where other ends are known, one that is not adds nothing to them.
            case .unknown(let reason): if peers.isEmpty { return .unknown(reason) }
            case .known(let id): if let id { peers = peers.union(Peers(names: [groupName(id)])) }
            }
        }
        return peers.isEmpty ? .unknown("\(path) names nobody at the other end") : .known(peers)
    }

    private static func groupName(_ text: String) -> String { text.hasPrefix("sg-") ? text : "group:\(text)" }

    /// A network ACL: rules in the order of their numbers, the first that matches decides, and what none matches is
    /// denied. `Entries` are as EC2 describes them; those of CloudFormation's `AWS::EC2::NetworkAclEntry` read alike.
    static func networkACL(_ document: StateValue) -> FacetValue {
        let path = PropertyPath(names: "Entries")
        let list = document[path].elements(at: path)
        let rules = list.elements.map { networkACLEntry($0.value, $0.source) }
        return .items(Openings(rules, unseen: list.open, firstOrder: 1).items, openBecause: list.open)
    }

    private static func networkACLEntry(_ value: StateValue, _ source: FacetSource) -> FilterRule {
        let path = source.path
        let number = protocolNumber(value[member: "Protocol"], "\(path).Protocol")
        let action = value[member: "RuleAction"].text("\(path).RuleAction")
        return FilterRule(
            source: source,
            direction: value[member: "Egress"].bool("\(path).Egress", default: false).map {
                .known($0 ? .egress : .ingress)
            },
            allows: action.map { text in
                switch text?.lowercased() {
                case "allow": .known(true)
                case "deny": .known(false)
                default: .unknown("\(path).RuleAction is neither allow nor deny")
                }
            },
            order: value[member: "RuleNumber"].int("\(path).RuleNumber").map { order in
                order.map { .known($0) } ?? .unknown("\(path).RuleNumber is not set")
            },
            protocolNumber: number,
            ports: icmpPorts(value, number, action.value??.lowercased() == "deny", path)
                ?? ports(value[member: "PortRange"], number, "From", "To", path),
            far: networkACLPeers(value, path))
    }

    /// A deny of some kinds of ICMP only closes none of it for certain: it takes no ports. `nil` for what is no such.
    private static func icmpPorts(
        _ value: StateValue, _ number: Reading<Int?>, _ denies: Bool, _ path: PropertyPath
    ) -> Reading<PortSet>? {
        guard denies, case .known(let protocolNumber?) = number, protocolNumber == 1 || protocolNumber == 58 else {
            return nil
        }
        for name in ["IcmpTypeCode", "Icmp"] {
            for part in ["Type", "Code"] {
                switch value[member: name][member: part].int("\(path).\(name).\(part)") {
                case .unknown: continue
                case .known(let kind): if let kind, kind != -1 { return .known(PortSet()) }
                }
            }
        }
        return nil
    }

    private static func networkACLPeers(_ value: StateValue, _ path: PropertyPath) -> Reading<Peers> {
        value[member: "CidrBlock"].text("\(path).CidrBlock").map { v4 in
            value[member: "Ipv6CidrBlock"].text("\(path).Ipv6CidrBlock").map { v6 in
                let texts = [v4, v6].compactMap { $0 }
                guard !texts.isEmpty, let set = try? IPSet(JSON.array(texts.map(JSON.string))) else {
                    return .unknown("\(path) has no range of addresses that can be read")
                }
                return .known(Peers(set))
            }
        }
    }
}
