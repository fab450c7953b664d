import HoldfastCore
import HoldfastEngine
import HoldfastJSON
import HoldfastStore
import Testing

private let policy = ShippedData.policy
private let now = Timestamp(seconds: 1_780_000_000)
private let place = ResourceContext(cloud: .aws, account: "111122223333", region: "eu-west-1")

private func group(_ id: String) -> ResourceID {
    ResourceID(type: "AWS::EC2::SecurityGroup", id: "arn:aws:ec2:eu-west-1:111122223333:security-group/\(id)")
}

private func at(_ second: Int) -> Timestamp { Timestamp(seconds: 1_779_000_000 + Int64(second)) }

/// What may be heard of security groups: events, and scans of one group each.
private enum News {
    case event(String, Int, request: JSON, response: JSON)
    case scan(String, Int, ports: [Int])
}

private struct Journey {
    let journal: SQLiteJournal
    let keeper: Keeper

    init() async throws {
        journal = try SQLiteJournal(.inMemory)
        keeper = try Keeper(journal: journal, policy: policy, limits: Limits())
        _ = try await keeper.positions(of: "test")
    }

    func hear(_ news: News, number: Int) async throws {
        switch news {
        case .event(let name, let second, let request, let response):
            let record: JSON = [
                "eventTime": .string(at(second).description), "eventSource": "ec2.amazonaws.com",
                "eventName": .string(name), "awsRegion": "eu-west-1", "eventID": .string("e-\(number)"),
                "readOnly": false, "recipientAccountId": "111122223333",
                "userIdentity": ["type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/someone"],
                "requestParameters": request, "responseElements": response,
            ]
            let batch = RecordBatch(records: Records(records: [record.canonicalBytes]), positions: [])
            try await keeper.intake(batch, from: "test", now: now)
        case .scan(let id, let second, let ports):
            let rules = ports.map { port -> JSON in
                [
                    "SecurityGroupRuleId": .string("sgr-\(port)"), "IpProtocol": "tcp",
                    "FromPort": .number(JSONNumber(port)), "ToPort": .number(JSONNumber(port)), "CidrIp": "0.0.0.0/0",
                ]
            }
            let sections: [(path: PropertyPath, value: JSON)] = [
                (PropertyPath(names: "GroupName"), "web"), (PropertyPath(names: "SecurityGroupIngress"), .array(rules)),
            ]
            let description = Description(result: .sections(sections), started: at(second), id: "scan-\(number)")
            let listed = ListedResource(resource: group(id), context: place, element: .null)
            _ = try await keeper.scan([(listed, description)], unread: [], now: now)
        }
    }

    /// What is known of groups by their ids, and what is open of them.
    func state() throws -> [String] {
        var lines: [String] = []
        for row in try journal.resources(after: nil, limit: 1000) where !row.resource.isAlias {
            let json = try JSON.parse(row.evidence)
            let set = try #require(EvidenceSet(encoded: json, resolution: Span(seconds: 1)))
            let view = ResourceView(of: set, keys: policy.catalog.type(row.resource.type)?.keys ?? ListKeys())
            lines.append("\(row.resource.id) \(view.isDeleted) \(view.document)")
        }
        for stored in try journal.findings(states: ["open", "stale"]) where !stored.resource.isAlias {
            let finding = try #require(Finding(json: stored.body))
            lines.append("\(finding.rule) \(finding.resource.id) \(finding.state) \(finding.offending.map(\.json))")
        }
        return lines
    }

    func isKnown(_ alias: String) throws -> Bool {
        let row = try journal.resource(ResourceID(type: "AWS::EC2::SecurityGroup", id: alias))
        return row.map { !$0.isDeleted } ?? false
    }
}

@Suite("Names that are no ids")
struct AliasTests {
    private func open(_ target: JSON, port: Int, rule: String? = nil) -> (JSON, JSON) {
        var request = target.object ?? JSONObject()
        let number = JSON.number(JSONNumber(port))
        request["ipPermissions"] = [
            "items": [
                [
                    "ipProtocol": "tcp", "fromPort": number, "toPort": number, "groups": [:],
                    "ipRanges": ["items": [["cidrIp": "0.0.0.0/0"]]],
                ]
            ]
        ]
        let made: JSON = [
            "securityGroupRuleId": .string("sgr-\(port)"), "isEgress": false, "ipProtocol": "tcp", "fromPort": number,
            "toPort": number, "cidrIpv4": "0.0.0.0/0",
        ]
        return (.object(request), ["securityGroupRuleSet": ["items": [made]]])
    }

    private func opened(_ target: JSON, port: Int, _ second: Int) -> News {
        let (request, response) = open(target, port: port)
        return .event("AuthorizeSecurityGroupIngress", second, request: request, response: response)
    }

    private func closed(_ target: JSON, port: Int, _ second: Int) -> News {
        var request = target.object ?? JSONObject()
        request["securityGroupRuleIds"] = ["items": [["securityGroupRuleId": .string("sgr-\(port)")]]]
        return .event("RevokeSecurityGroupIngress", second, request: .object(request), response: .null)
    }

    private func created(_ id: String, _ second: Int) -> News {
        .event(
            "CreateSecurityGroup", second, request: ["groupName": "web", "vpcId": "vpc-1"],
            response: ["groupId": .string(id)])
    }

    private let alias = "alias:group-name/web@111122223333/eu-west-1"

    @Test("A name that an event or a scan makes known brings what was said under it, and the alias is no more")
    func becomesKnown() async throws {
        for news in [created("sg-a", 10), News.scan("sg-a", 12, ports: [])] {
            let journey = try await Journey()
            try await journey.hear(opened(["groupName": "web"], port: 22, 60), number: 1)
            #expect(try journey.isKnown(alias))
            try await journey.hear(news, number: 2)
            #expect(try !journey.isKnown(alias))
            let findings = try journey.journal.findings(states: ["open"])
            #expect(findings.contains { $0.resource == group("sg-a") && $0.rule == "any/network/admin-ports-not-open" })
            #expect(!findings.contains { $0.resource.isAlias })
            // What is said under the name from now on is said of the group.
            try await journey.hear(closed(["groupName": "web"], port: 22, 70), number: 3)
            #expect(try !journey.isKnown(alias))
            #expect(try journey.journal.history(of: group("sg-a"), upTo: .distantFuture).last?.eventID == "e-3")
            #expect(
                try !journey.journal.findings(states: ["open"]).contains {
                    $0.rule == "any/network/admin-ports-not-open"
                })
        }
    }

    @Test("What is said under a name after its bearer went is another's: it waits to be read, and revives nobody")
    func bearerGone() async throws {
        let journey = try await Journey()
        try await journey.hear(created("sg-a", 10), number: 1)
        try await journey.hear(opened(["groupName": "web"], port: 22, 90), number: 2)
        #expect(try !journey.isKnown(alias))
        try await journey.hear(
            .event("DeleteSecurityGroup", 50, request: ["groupId": "sg-a"], response: .null), number: 3)
        #expect(try journey.journal.resource(group("sg-a"))?.isDeleted == true)
        #expect(try journey.isKnown(alias))
        let dirty = try await journey.keeper.claim(now: now + Span(seconds: 60), limit: 100)
        #expect(dirty.contains { $0.resource.isAlias })
    }

    @Test("Whatever order events and scans arrive in, groups that are named in both ways end in one state: 400 orders")
    func anyOrder() async throws {
        var random = Seeded(seed: 23)
        var named = 0
        for _ in 0..<100 {
            let news = story(&random)
            var states: Set<[String]> = []
            for order in 0..<4 {
                let journey = try await Journey()
                let numbered = Array(news.enumerated())
                for (number, item) in order == 0 ? numbered : numbered.shuffled(using: &random) {
                    try await journey.hear(item, number: number)
                }
                states.insert(try journey.state())
                named += try journey.journal.resources(after: nil, limit: 1000).count { $0.resource.isAlias }
                let verification = try Verification.run(journal: journey.journal, policy: policy, now: now)
                #expect(verification.disagreements.isEmpty, "\(verification.disagreements.prefix(2))")
            }
            #expect(
                states.count == 1, "\(news)\n\(states.map { $0.joined(separator: "\n") }.joined(separator: "\n\n"))")
            if states.count > 1 { return }
        }
        #expect(named > 50)
    }

    /// A group is made or found, changed by its id and by its name, and goes; another takes its name.
    private func story(_ random: inout Seeded) -> [News] {
        var news: [News] = []
        var second = 10
        func step() -> Int {
            second += Int.random(in: 2...9, using: &random)
            return second
        }
        for id in ["sg-a", "sg-b"] {
            if Bool.random(using: &random) || id == "sg-b" {
                news.append(created(id, step()))
            } else {
                news.append(.scan(id, step() + 10, ports: [443]))
                second += 20
            }
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let target: JSON = Bool.random(using: &random) ? ["groupName": "web"] : ["groupId": .string(id)]
                let port = [22, 443, 3389].randomElement(using: &random) ?? 22
                if Int.random(in: 0..<3, using: &random) == 0 {
                    news.append(closed(target, port: port, step()))
                } else {
                    news.append(opened(target, port: port, step()))
                }
            }
            if Int.random(in: 0..<3, using: &random) == 0 { news.append(.scan(id, step() + 10, ports: [22])) }
            second += 30
            if id == "sg-b" { break }
            let target: JSON = Bool.random(using: &random) ? ["groupName": "web"] : ["groupId": .string(id)]
            news.append(.event("DeleteSecurityGroup", step(), request: target, response: .null))
        }
        return news
    }
}
