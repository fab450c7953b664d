import HoldfastCore
import HoldfastJSON
import Testing

/// A facet of a configuration that is written as JSON and known as a whole.
func facetItems(_ facet: Facet, _ type: String, _ json: String, _ context: FacetContext = FacetContext()) throws
    -> [FacetItem]
{
    let value = facet.value(of: StateValue(known: try JSON.parse(json)), type: type, context: context)
    let (items, open) = try parts(of: value)
    #expect(open == nil)
    return items
}

struct NoListError: Error {}

/// The parts of a facet that is a list.
func parts(of value: FacetValue) throws -> (items: [FacetItem], open: String?) {
    guard case .items(let items, let open) = value else {
        Issue.record("\(value) is not a list")
        throw NoListError()
    }
    return (items, open)
}

/// An item in one line: `SecurityGroupIngress[0] tcp 22 from 0.0.0.0/0`.
func line(_ item: FacetItem) -> String {
    guard case .map(let map) = item.value else { return "\(item.source.path) \(item.value)" }
    func text(_ name: String) -> String {
        switch map[name] {
        case .unknown: "?"
        case .absent: "-"
        case .scalar(let json): json.scalarText ?? "null"
        case .list(let list): list.elements.map { $0.value.json.scalarText ?? "?" }.joined(separator: ",")
        case .map: "map"
        }
    }
    let ingress = text("direction") == "ingress"
    return "\(text("element")) \(text("protocol")) \(text("ports")) "
        + (ingress ? "from \(text("from"))" : "to \(text("to"))")
}

@Suite("What network rules really open")
struct FacetOpeningsTests {
    private let group = "AWS::EC2::SecurityGroup"
    private let acl = "AWS::EC2::NetworkAcl"
    private let nsg = "Microsoft.Network/networkSecurityGroups"
    private let firewall = "compute.googleapis.com/Firewall"

    private func lines(_ type: String, _ json: String, _ context: FacetContext = FacetContext()) throws -> [String] {
        try facetItems(.openings, type, json, context).map(line)
    }

    // MARK: Security groups

    @Test(
        "A security group's rule opens what AWS reads in it",
        arguments: [
            (#"{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"CidrIp":"0.0.0.0/0"}"#, "tcp 22 from 0.0.0.0/0"),
            (#"{"IpProtocol":"6","FromPort":"20","ToPort":"23","CidrIpv6":"::/0"}"#, "tcp 20-23 from ::/0"),
            (#"{"IpProtocol":"-1","FromPort":22,"ToPort":22,"CidrIp":"10.0.0.0/8"}"#, "any 0-65535 from 10.0.0.0/8"),
            (#"{"IpProtocol":-1,"CidrIp":"10.1.2.3/16"}"#, "any 0-65535 from 10.1.0.0/16"),
            (#"{"IpProtocol":"udp","FromPort":-1,"ToPort":-1,"CidrIp":"1.2.3.4/32"}"#, "udp 0-65535 from 1.2.3.4/32"),
            (#"{"IpProtocol":"icmp","FromPort":-1,"ToPort":-1,"CidrIp":"0.0.0.0/0"}"#, "icmp - from 0.0.0.0/0"),
            (#"{"IpProtocol":"icmp","FromPort":8,"ToPort":0,"CidrIp":"0.0.0.0/0"}"#, "icmp - from 0.0.0.0/0"),
            (#"{"IpProtocol":"50","FromPort":5,"ToPort":5,"CidrIp":"0.0.0.0/0"}"#, "esp - from 0.0.0.0/0"),
            (#"{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"SourceSecurityGroupId":"sg-1"}"#, "tcp 22 from sg-1"),
            (#"{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"SourcePrefixListId":"pl-9"}"#, "tcp 22 from ?"),
            (#"{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"SourcePrefixListId":"pl-1"}"#, "tcp 22 from 0.0.0.0/0"),
            (#"{"IpProtocol":"tcp","FromPort":23,"ToPort":22,"CidrIp":"0.0.0.0/0"}"#, "tcp ? from 0.0.0.0/0"),
            (#"{"IpProtocol":"tcp","FromPort":22,"ToPort":22,"CidrIp":{"Ref":"Open"}}"#, "tcp 22 from ?"),
            (#"{"IpProtocol":"tcp","FromPort":22,"ToPort":22}"#, "tcp 22 from ?"),
            (#"{"FromPort":22,"ToPort":22,"CidrIp":"0.0.0.0/0"}"#, "? 22 from 0.0.0.0/0"),
        ])
    func securityGroupRule(rule: String, opens: String) throws {
        let context = FacetContext(prefixLists: ["pl-1": try IPSet("0.0.0.0/0")])
        let lines = try lines(group, #"{"SecurityGroupIngress":[\#(rule)],"SecurityGroupEgress":[]}"#, context)
        #expect(lines == ["SecurityGroupIngress[0] \(opens)"])
    }

    @Test("What goes out has no `from`, so that rules on what comes in pass it by")
    func egress() throws {
        let json = #"{"SecurityGroupEgress":[{"IpProtocol":"-1","CidrIp":"0.0.0.0/0"}]}"#
        #expect(try lines(group, json) == ["SecurityGroupEgress[0] any 0-65535 to 0.0.0.0/0"])
        let item = try #require(try facetItems(.openings, group, json).first)
        #expect(item.value[PropertyPath(names: "from")] == .absent)
    }

    @Test("Halves of the internet on one port are the internet on that port, and on no other")
    func halves() throws {
        let json = #"""
            {"SecurityGroupIngress":[
              {"IpProtocol":"tcp","FromPort":20,"ToPort":30,"CidrIp":"0.0.0.0/1"},
              {"IpProtocol":"tcp","FromPort":22,"ToPort":22,"CidrIp":"128.0.0.0/1"},
              {"IpProtocol":"tcp","FromPort":22,"ToPort":22,"CidrIp":"8.8.8.8/32"},
              {"IpProtocol":"udp","FromPort":22,"ToPort":22,"CidrIp":"128.0.0.0/1"}]}
            """#
        #expect(
            try lines(group, json) == [
                "SecurityGroupIngress[0] tcp 20-21,23-30 from 0.0.0.0/1",
                "SecurityGroupIngress[0] tcp 22 from internet,0.0.0.0/1",
                "SecurityGroupIngress[1] tcp 22 from internet,128.0.0.0/1",
                "SecurityGroupIngress[2] tcp 22 from 8.8.8.8/32",
                "SecurityGroupIngress[3] udp 22 from 128.0.0.0/1",
            ])
    }

    @Test("A rule for every protocol completes the internet of a rule for one")
    func halvesOfProtocols() throws {
        let json = #"""
            {"SecurityGroupIngress":[
              {"IpProtocol":"-1","CidrIp":"0.0.0.0/1"},
              {"IpProtocol":"tcp","FromPort":22,"ToPort":22,"CidrIp":"128.0.0.0/1"}]}
            """#
        #expect(
            try lines(group, json) == [
                "SecurityGroupIngress[0] icmp - from 0.0.0.0/1",
                "SecurityGroupIngress[0] tcp 0-21,23-65535 from 0.0.0.0/1",
                "SecurityGroupIngress[0] tcp 22 from internet,0.0.0.0/1",
                "SecurityGroupIngress[0] udp 0-65535 from 0.0.0.0/1",
                "SecurityGroupIngress[0] icmpv6 - from 0.0.0.0/1",
                "SecurityGroupIngress[0] other - from 0.0.0.0/1",
                "SecurityGroupIngress[1] tcp 22 from internet,128.0.0.0/1",
            ])
    }

    @Test("What nobody read is open or unknown, never closed")
    func unread() throws {
        let ingress = #"{"SecurityGroupIngress":[{"IpProtocol":"tcp","FromPort":1,"ToPort":1,"CidrIp":"::/0"}]}"#
        let value = Facet.openings.value(of: StateValue(snapshot: try JSON.parse(ingress)), type: group)
        let (items, open) = try parts(of: value)
        #expect(open == nil)
        #expect(items.map(line) == ["SecurityGroupIngress[0] tcp 1 from ::/0", "SecurityGroupEgress ? ? to ?"])

        let nothing = Facet.openings.value(of: StateValue(snapshot: [:]), type: group)
        let reason = try parts(of: nothing).open
        #expect(reason == "not in the snapshot")
        #expect(Facet.openings.value(of: .unknown("never read"), type: group).state.unknownReason == "never read")
        #expect(Facet.openings.value(of: .absent, type: "AWS::S3::Bucket").state.unknownReason != nil)
    }

    @Test("An element that is not known is listed as such, with its key")
    func unknownElement() throws {
        let list = StateList(
            [.init(key: "sgr-1", value: .unknown("two events in one second"))], openBecause: "never read")
        let document = StateValue.map(
            StateMap([("SecurityGroupIngress", .list(list)), ("SecurityGroupEgress", .absent)]))
        let (items, open) = try parts(of: Facet.openings.value(of: document, type: group))
        #expect(open == "never read")
        #expect(items.map(line) == ["SecurityGroupIngress[0] ? ? from ?"])
        #expect(items.first?.source.key == "sgr-1")
    }

    // MARK: Network ACLs

    @Test("The lowest number of a network ACL decides")
    func networkACL() throws {
        let json = #"""
            {"Entries":[
              {"RuleNumber":100,"RuleAction":"allow","Protocol":"-1","CidrBlock":"0.0.0.0/0","Egress":false},
              {"RuleNumber":50,"RuleAction":"deny","Protocol":"6","PortRange":{"From":22,"To":22},
               "CidrBlock":"0.0.0.0/0","Egress":false},
              {"RuleNumber":40,"RuleAction":"allow","Protocol":6,"PortRange":{"From":0,"To":1024},
               "CidrBlock":"1.1.1.1/32","Egress":false},
              {"RuleNumber":32767,"RuleAction":"deny","Protocol":"-1","CidrBlock":"0.0.0.0/0","Egress":false},
              {"RuleNumber":100,"RuleAction":"allow","Protocol":"-1","Ipv6CidrBlock":"::/0","Egress":true}]}
            """#
        #expect(
            try lines(acl, json) == [
                "Entries[0] icmp - from 0.0.0.0/0", "Entries[0] tcp 0-21,23-65535 from 0.0.0.0/0",
                "Entries[0] udp 0-65535 from 0.0.0.0/0", "Entries[0] icmpv6 - from 0.0.0.0/0",
                "Entries[0] other - from 0.0.0.0/0", "Entries[2] tcp 0-1024 from 1.1.1.1/32",
                "Entries[4] any 0-65535 to ::/0",
            ])
    }

    @Test("A network ACL's deny of one kind of ICMP leaves the others open")
    func icmpKinds() throws {
        func json(_ code: Int) -> String {
            #"""
            {"Entries":[
              {"RuleNumber":1,"RuleAction":"deny","Protocol":"1","IcmpTypeCode":{"Type":\#(code),"Code":-1},
               "CidrBlock":"0.0.0.0/0","Egress":false},
              {"RuleNumber":2,"RuleAction":"allow","Protocol":"1","IcmpTypeCode":{"Type":-1,"Code":-1},
               "CidrBlock":"0.0.0.0/0","Egress":false}]}
            """#
        }
        #expect(try lines(acl, json(8)) == ["Entries[1] icmp - from 0.0.0.0/0"])
        #expect(try lines(acl, json(-1)) == [])
    }

    // MARK: Network security groups

    private func nsgRule(
        _ name: String, _ priority: Int, _ access: String, _ ports: String, from: String = "*",
        protocol: String = "Tcp", more: String = ""
    ) -> String {
        #"""
        {"name":"\#(name)","properties":{"priority":\#(priority),"access":"\#(access)","direction":"Inbound",
         "protocol":"\#(`protocol`)","sourcePortRange":"*","destinationPortRange":"\#(ports)",
         "sourceAddressPrefix":"\#(from)","sourceAddressPrefixes":[],"destinationAddressPrefix":"*"\#(more)}}
        """#
    }

    private func nsg(_ rules: String...) -> String {
        #"{"properties":{"securityRules":[\#(rules.joined(separator: ","))],"defaultSecurityRules":[]}}"#
    }

    private let rule0 = "properties.securityRules[0]"
    private let rule1 = "properties.securityRules[1]"

    @Test("A deny with a lower number closes, one with a higher number does not")
    func priorities() throws {
        let allow = nsgRule("allow", 200, "Allow", "20-25")
        #expect(
            try lines(nsg, nsg(allow, nsgRule("deny", 100, "Deny", "22"))) == [
                "\(rule0) tcp 20-21,23-25 from 0.0.0.0/0,::/0"
            ])
        #expect(
            try lines(nsg, nsg(allow, nsgRule("deny", 300, "Deny", "22"))) == ["\(rule0) tcp 20-25 from 0.0.0.0/0,::/0"]
        )
        #expect(try lines(nsg, nsg(allow, nsgRule("deny", 100, "Deny", "*", protocol: "*"))) == [])
        #expect(try lines(nsg, nsg(allow, nsgRule("deny", 100, "Deny", "*", protocol: "Udp"))).count == 1)
    }

    @Test("A deny of the internet leaves private addresses, one of a tag leaves the internet")
    func tags() throws {
        let allow = nsgRule("allow", 200, "Allow", "22")
        let rest = try facetItems(.openings, nsg, nsg(allow, nsgRule("deny", 100, "Deny", "22", from: "Internet")))
        let from = try #require(rest.first?.value[PropertyPath(names: "from")].json.array).compactMap(\.string)
        #expect(try !Peers(texts: from).addresses.overlaps(IPSet("internet")))
        #expect(try Peers(texts: from).addresses.contains(#require(IPAddress("10.0.0.1"))))
        let deny = nsgRule("deny", 100, "Deny", "22", from: "VirtualNetwork")
        #expect(try lines(nsg, nsg(allow, deny)) == ["\(rule0) tcp 22 from 0.0.0.0/0,::/0"])
        for tag in ["VirtualNetwork", "AzureLoadBalancer", "Storage.WestEurope"] {
            #expect(try lines(nsg, nsg(nsgRule("a", 100, "Allow", "22", from: tag))) == ["\(rule0) tcp 22 from \(tag)"])
        }
        let internet = try lines(nsg, nsg(nsgRule("a", 100, "Allow", "22", from: "internet")))
        #expect(try #require(internet.first).contains("from 1.0.0.0/8,"))
    }

    @Test("Lists of ranges, application groups and letter case are read as Azure reads them")
    func spellings() throws {
        let more = #"""
            ,"destinationPortRanges":["22-22","3389"],"sourceAddressPrefixes":["0.0.0.0/1","128.0.0.0/1"]
            """#
        let listed = nsg(nsgRule("a", 100, "allow", "", from: "", protocol: "TCP", more: more))
            .replacing(#""sourceAddressPrefixes":[],"#, with: "")
        #expect(try lines(nsg, listed) == ["\(rule0) tcp 22,3389 from 0.0.0.0/0"])
        let asg = #","sourceApplicationSecurityGroups":[{"id":"/subscriptions/S/asg/Web"}]"#
        #expect(
            try lines(nsg, nsg(nsgRule("a", 100, "Allow", "22", from: "", more: asg)))
                == ["\(rule0) tcp 22 from /subscriptions/s/asg/web"])
    }

    @Test("A deny for some destinations or source ports closes only those")
    func partialDenies() throws {
        let allow = nsgRule("allow", 200, "Allow", "22")
        let some = nsgRule("deny", 100, "Deny", "22").replacing(
            #""destinationAddressPrefix":"*""#, with: #""destinationAddressPrefix":"10.0.0.4""#)
        #expect(try lines(nsg, nsg(allow, some)) == ["\(rule0) tcp 22 from 0.0.0.0/0,::/0"])
        let network = nsgRule("deny", 100, "Deny", "22").replacing(
            #""destinationAddressPrefix":"*""#, with: #""destinationAddressPrefix":"VirtualNetwork""#)
        #expect(try lines(nsg, nsg(allow, network)) == [])
        let ports = nsgRule("deny", 100, "Deny", "22").replacing(
            #""sourcePortRange":"*""#, with: #""sourcePortRange":"1-1023""#)
        #expect(try lines(nsg, nsg(allow, ports)) == ["\(rule0) tcp 22 from 0.0.0.0/0,::/0"])
    }

    @Test("A deny that is not known leaves what it may close in doubt, and nothing else")
    func unknownDeny() throws {
        func document(_ deny: StateValue, open: String? = nil, priority: Int = 200) throws -> StateValue {
            let allow = StateValue(known: try JSON.parse(nsgRule("allow", priority, "Allow", "22-23")))
            let list = StateList([.init(value: allow), .init(key: "deny", value: deny)], openBecause: open)
            let properties = StateMap([("securityRules", .list(list)), ("defaultSecurityRules", .absent)])
            return .map(StateMap([("properties", .map(properties))]))
        }
        func lines(_ document: StateValue) throws -> [String] {
            try parts(of: Facet.openings.value(of: document, type: nsg)).items.map(line)
        }
        var deny = StateValue(known: try JSON.parse(nsgRule("deny", 100, "Deny", "22")))
        if case .map(var map) = deny, case .map(var body) = map["properties"] {
            body["sourceAddressPrefix"] = .unknown("never read")
            map["properties"] = .map(body)
            deny = .map(map)
        }
        #expect(
            try lines(document(deny)) == [
                "\(rule0) tcp 22 from ?", "\(rule0) tcp 23 from 0.0.0.0/0,::/0",
            ])
        #expect(
            try lines(document(.unknown("never read"))) == [
                "\(rule0) tcp 22-23 from ?", "\(rule1) unknown(\"never read\")",
            ])
        let late = StateValue(known: try JSON.parse(nsgRule("deny", 900, "Deny", "22")))
        #expect(try lines(document(late, open: "never read")) == ["\(rule0) tcp 22-23 from ?"])
        #expect(
            try lines(document(late, open: "never read", priority: 100)) == [
                "\(rule0) tcp 22-23 from 0.0.0.0/0,::/0"
            ])
    }

    @Test("An Azure rule is found again by its name")
    func nsgKeys() throws {
        let items = try facetItems(.openings, nsg, nsg(nsgRule("ssh", 100, "Allow", "22")))
        #expect(items.map(\.source.key) == ["ssh"])
        #expect(items.first?.source.actual["name"] == "ssh")
    }

    @Test("Rules that cut each other to pieces end in doubt, not in an endless evaluation")
    func pieces() throws {
        // Deny number `bit` takes the numbers with that bit set, in three dimensions: 4^8 pieces.
        var rules = [nsgRule("allow", 4000, "Allow", "*")]
        for bit in 0..<8 {
            let set = (0..<256).filter { $0 & (1 << bit) != 0 }
            let ports = set.map { #""\#($0 * 256)-\#($0 * 256 + 255)""# }.joined(separator: ",")
            let prefixes = set.map { #""\#($0).0.0.0/8""# }.joined(separator: ",")
            rules.append(
                #"""
                {"name":"d\#(bit)","properties":{"priority":\#(bit + 100),"access":"Deny","direction":"Inbound",
                 "protocol":"*","sourcePortRanges":[\#(ports)],"destinationPortRanges":[\#(ports)],
                 "sourceAddressPrefixes":[\#(prefixes)],"destinationAddressPrefix":"*"}}
                """#)
        }
        let json = #"{"properties":{"securityRules":[\#(rules.joined(separator: ","))]}}"#
        let reasons = try facetItems(.openings, nsg, json).compactMap(\.value.unknownReason)
        #expect(reasons.contains("the deny rules cut it into too many pieces"))
    }

    // MARK: Google's firewalls

    @Test(
        "A firewall opens what Google reads in it",
        arguments: [
            (
                #""sourceRanges":["0.0.0.0/0"],"allowed":[{"IPProtocol":"tcp","ports":["22","80-81"]}]"#,
                ["allowed[0] tcp 22,80-81 from 0.0.0.0/0"]
            ),
            (#""allowed":[{"IPProtocol":"all"}]"#, ["allowed[0] any 0-65535 from 0.0.0.0/0"]),
            (#""sourceTags":["web"],"allowed":[{"IPProtocol":"17"}]"#, ["allowed[0] udp 0-65535 from tag:web"]),
            (
                #""sourceRanges":["10.0.0.0/8"],"sourceTags":["web"],"allowed":[{"IPProtocol":"icmp"}]"#,
                ["allowed[0] icmp - from 10.0.0.0/8,tag:web"]
            ),
            (#""sourceRanges":["0.0.0.0/0"],"denied":[{"IPProtocol":"tcp","ports":["22"]}]"#, []),
            (#""disabled":true,"allowed":[{"IPProtocol":"tcp","ports":["22"]}]"#, []),
            (
                #""direction":"EGRESS","allowed":[{"IPProtocol":"tcp","ports":["22"]},{"IPProtocol":"esp"}]"#,
                ["allowed[0] tcp 22 to 0.0.0.0/0", "allowed[1] esp - to 0.0.0.0/0"]
            ),
            (
                #""direction":"EGRESS","destinationRanges":["1.1.1.1"],"allowed":[{"IPProtocol":"all"}]"#,
                ["allowed[0] any 0-65535 to 1.1.1.1/32"]
            ),
            (#""sourceRanges":["home"],"allowed":[{"IPProtocol":"tcp","ports":["x"]}]"#, ["allowed[0] tcp ? from ?"]),
        ])
    func google(json: String, opens: [String]) throws {
        #expect(try lines(firewall, "{\(json)}") == opens)
    }

    @Test("A firewall of which nobody read whether it is disabled is in doubt")
    func disabledUnknown() throws {
        let json = #"{"direction":"INGRESS","sourceRanges":["0.0.0.0/0"],"allowed":[{"IPProtocol":"all"}]}"#
        let value = Facet.openings.value(of: StateValue(snapshot: try JSON.parse(json)), type: firewall)
        #expect(value.state.unknownReason == "not in the snapshot")
    }

    @Test("What the facet reads of a type is told without a resource")
    func reads() {
        #expect(
            Facet.openings.reads(type: group).map(\.description) == ["SecurityGroupIngress", "SecurityGroupEgress"])
        #expect(Facet.openings.reads(type: "AWS::S3::Bucket").isEmpty)
    }
}
