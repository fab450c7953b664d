import HoldfastCore
import HoldfastJSON
import Testing

/// Random rule sets against a simulation that decides packet by packet as the provider's documents say.
@Suite("Openings agree with the providers, packet by packet")
struct FacetPacketTests {
    struct Packet {
        var ip: String
        var number: Int
        var port: Int
        var isIngress: Bool
    }

    struct Rule {
        var isAllow: Bool
        var order: Int
        /// -1: every protocol.
        var number: Int
        var ports: ClosedRange<Int>
        var range: String
        var isIngress: Bool

        func matches(_ packet: Packet, ignoresPortsOf: (Int) -> Bool) -> Bool {
            guard isIngress == packet.isIngress, number == -1 || number == packet.number,
                let set = try? IPSet(range), let ip = IPAddress(packet.ip), set.contains(ip)
            else { return false }
            return ignoresPortsOf(number) || packet.number != 6 && packet.number != 17 || ports.contains(packet.port)
        }
    }

    private static let ranges = [
        "0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/8", "10.1.0.0/16", "8.8.8.8/32", "::/0", "2000::/3",
        "2001:4860::/32",
    ]
    private static let addresses = [
        "8.8.8.8", "8.8.4.4", "10.1.0.1", "10.2.0.1", "200.1.1.1", "2001:4860::1", "2a00::1", "fc00::1",
    ]
    private static let ports = [0...65535, 22...22, 20...25, 23...3389, 3389...3389, 443...443]

    private func rules(_ random: inout FacetRandom, denies: Bool, anyPorts: (Int) -> Bool) -> [Rule] {
        let orders = Array(100...140).shuffled(using: &random)
        return (0..<Int.random(in: 0...7, using: &random)).map { index in
            let number = random.pick([-1, 6, 6, 17, 1, 50])
            return Rule(
                isAllow: !denies || random.chance(60), order: orders[index], number: number,
                ports: anyPorts(number) ? 0...65535 : random.pick(Self.ports), range: random.pick(Self.ranges),
                isIngress: random.chance(80))
        }
    }

    private func packets(_ random: inout FacetRandom) -> [Packet] {
        (0..<60).map { _ in
            Packet(
                ip: random.pick(Self.addresses), number: random.pick([6, 6, 17, 1, 50, 47]),
                port: random.pick([0, 21, 22, 23, 25, 443, 3388, 3389, 3390, 65535]), isIngress: random.chance(80))
        }
    }

    private func isOpen(_ packet: Packet, _ items: [FacetItem], _ rules: [Rule]) -> [FacetItem] {
        var names = [1: "icmp", 6: "tcp", 17: "udp"]
        if rules.contains(where: { $0.number == 50 }) { names[50] = "esp" }
        return items.filter { item in
            guard case .map(let map) = item.value else { return false }
            guard map["direction"].json.string == (packet.isIngress ? "ingress" : "egress"),
                case .scalar(.string(let name)) = map["protocol"],
                name == "any" || name == names[packet.number] ?? "other",
                let ip = IPAddress(packet.ip),
                let texts = map[packet.isIngress ? "from" : "to"].json.array?.compactMap(\.string)
            else { return false }
            if packet.number == 6 || packet.number == 17 {
                guard let ports = try? PortSet(map["ports"].json), ports.contains(UInt16(packet.port)) else {
                    return false
                }
            }
            return Peers(texts: texts.filter { $0 != "internet" }).addresses.contains(ip)
        }
    }

    /// - Parameter decide: whether the provider lets the packet through.
    private func check(
        _ random: inout FacetRandom, _ type: String, _ rules: [Rule], _ document: ([Rule]) -> JSON,
        _ decide: ([Rule], Packet) -> Bool
    ) throws {
        let value = Facet.openings.value(of: StateValue(known: document(rules)), type: type)
        guard case .items(let items, openBecause: nil) = value else {
            Issue.record("\(value)")
            return
        }
        for packet in packets(&random) {
            let open = isOpen(packet, items, rules)
            #expect(!open.isEmpty == decide(rules, packet), "\(packet) in \(rules)")
            // What the items lead back to is what must go: without it the packet is stopped.
            let gone = Set(
                open.compactMap { item in
                    item.source.path.steps.compactMap { if case .index(let index) = $0 { index } else { nil } }.first
                })
            let left = rules.indices.filter { !gone.contains($0) || rules[$0].isIngress != packet.isIngress }
            #expect(!decide(left.map { rules[$0] }, packet), "\(packet) in \(rules) without \(gone)")
        }
        try checkInternet(items)
    }

    /// On each port items say `internet` where all items of the port together are the internet.
    private func checkInternet(_ items: [FacetItem]) throws {
        for (number, name) in [(6, "tcp"), (17, "udp")] {
            for port in [0, 21, 22, 443, 3389] {
                let open = items.filter { item in
                    let texts = item.value[PropertyPath(names: "ports")].json
                    let own = item.value[PropertyPath(names: "protocol")].json.string
                    return item.value[PropertyPath(names: "direction")].json == "ingress"
                        && (own == "any" || own == name)
                        && (try? PortSet(texts).contains(UInt16(port))) == true
                }
                let from = open.map { item in
                    item.value[PropertyPath(names: "from")].json.array?.compactMap(\.string) ?? []
                }
                let together = Peers(texts: from.joined().filter { $0 != "internet" }).addresses.coversInternet
                let says = from.map { Peers(texts: $0).addresses.coversInternet }
                #expect(says.contains(true) == together, "\(number):\(port) of \(items.map(line))")
                let rest = zip(from, says).filter { !$0.1 }.flatMap(\.0)
                #expect(!Peers(texts: rest).addresses.coversInternet, "\(number):\(port) of \(items.map(line))")
            }
        }
    }

    private func portRange(_ rule: Rule) -> JSON {
        .object(
            JSONObject([
                ("From", .number(JSONNumber(rule.ports.lowerBound))),
                ("To", .number(JSONNumber(rule.ports.upperBound))),
            ]))
    }

    private func cidr(_ rule: Rule, _ v4: String, _ v6: String) -> (String, JSON) {
        (rule.range.contains(":") ? v6 : v4, .string(rule.range))
    }

    @Test("Security groups: what any rule allows passes", arguments: 1...12)
    func securityGroups(seed: UInt64) throws {
        var random = FacetRandom(seed: seed)
        let ignores: (Int) -> Bool = { $0 != 6 && $0 != 17 }
        for _ in 0..<12 {
            // Both lists keep every index, so that paths and rules have the same numbers.
            var all = rules(&random, denies: false, anyPorts: { _ in false })
            for index in all.indices { all[index].isIngress = true }
            try check(&random, "AWS::EC2::SecurityGroup", all) { rules in
                [
                    "SecurityGroupIngress": .array(
                        rules.map { rule in
                            .object(
                                JSONObject([
                                    ("IpProtocol", .string("\(rule.number)")),
                                    ("FromPort", .number(.init(rule.ports.lowerBound))),
                                    ("ToPort", .number(.init(rule.ports.upperBound))), cidr(rule, "CidrIp", "CidrIpv6"),
                                ]))
                        })
                ]
            } _: { rules, packet in
                rules.contains { $0.matches(packet, ignoresPortsOf: ignores) }
            }
        }
    }

    @Test("Network ACLs: the lowest number that matches decides, none denies", arguments: 1...12)
    func networkACLs(seed: UInt64) throws {
        var random = FacetRandom(seed: seed)
        let ignores: (Int) -> Bool = { $0 != 6 && $0 != 17 }
        for _ in 0..<12 {
            let all = rules(&random, denies: true, anyPorts: { _ in false })
            try check(&random, "AWS::EC2::NetworkAcl", all) { rules in
                [
                    "Entries": .array(
                        rules.map { rule in
                            .object(
                                JSONObject([
                                    ("Protocol", .string("\(rule.number)")), ("RuleNumber", .number(.init(rule.order))),
                                    ("RuleAction", .string(rule.isAllow ? "allow" : "deny")),
                                    ("Egress", .bool(!rule.isIngress)),
                                    ("PortRange", portRange(rule)),
                                    cidr(rule, "CidrBlock", "Ipv6CidrBlock"),
                                ]))
                        })
                ]
            } _: { rules, packet in
                rules.filter { $0.matches(packet, ignoresPortsOf: ignores) }.min { $0.order < $1.order }?.isAllow
                    ?? false
            }
        }
    }

    @Test("Network security groups: the lowest priority that matches decides, none denies", arguments: 1...12)
    func networkSecurityGroups(seed: UInt64) throws {
        var random = FacetRandom(seed: seed)
        let names = [-1: "*", 6: "Tcp", 17: "Udp", 1: "Icmp", 50: "Esp"]
        for _ in 0..<12 {
            let all = rules(&random, denies: true, anyPorts: { ![-1, 6, 17].contains($0) })
            try check(&random, "Microsoft.Network/networkSecurityGroups", all) { rules in
                [
                    "properties": [
                        "securityRules": .array(
                            rules.map { rule in
                                [
                                    "properties": [
                                        "priority": .number(.init(rule.order)),
                                        "access": rule.isAllow ? "Allow" : "Deny",
                                        "direction": rule.isIngress ? "Inbound" : "Outbound",
                                        "protocol": .string(names[rule.number]!),
                                        "sourcePortRange": "*",
                                        "destinationPortRange":
                                            .string("\(rule.ports.lowerBound)-\(rule.ports.upperBound)"),
                                        "sourceAddressPrefix": .string(rule.isIngress ? rule.range : "*"),
                                        "destinationAddressPrefix": .string(rule.isIngress ? "*" : rule.range),
                                    ]
                                ]
                            })
                    ]
                ]
            } _: { rules, packet in
                rules.filter { rule in
                    // Traffic without ports is matched by rules that name none.
                    rule.matches(packet, ignoresPortsOf: { _ in false })
                        && (packet.number == 6 || packet.number == 17 || rule.ports == 0...65535)
                }.min { $0.order < $1.order }?.isAllow ?? false
            }
        }
    }

    @Test("Google's firewalls: an enabled allow passes what it names", arguments: 1...12)
    func firewalls(seed: UInt64) throws {
        var random = FacetRandom(seed: seed)
        for _ in 0..<12 {
            var all = rules(&random, denies: false, anyPorts: { $0 != 6 && $0 != 17 })
            guard let range = all.first?.range else { continue }
            for index in all.indices {
                all[index].isIngress = true
                all[index].range = range
            }
            try check(&random, "compute.googleapis.com/Firewall", all) { rules in
                let allowed = rules.map { rule -> JSON in
                    let ports: JSON = [.string("\(rule.ports.lowerBound)-\(rule.ports.upperBound)")]
                    let name: JSON = rule.number == -1 ? "all" : .string("\(rule.number)")
                    return rule.ports == 0...65535 ? ["IPProtocol": name] : ["IPProtocol": name, "ports": ports]
                }
                return ["sourceRanges": [.string(range)], "allowed": .array(allowed)]
            } _: { rules, packet in
                rules.contains { $0.matches(packet, ignoresPortsOf: { _ in false }) }
            }
        }
    }
}
