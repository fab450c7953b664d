internal import HoldfastJSON

/// One key of a statement's `Condition`: `StringEquals: {aws:SourceAccount: "111122223333"}`.
struct PolicyCondition: Sendable {
    /// Lower case, without `ForAnyValue:` and `IfExists`.
    var comparison: String
    /// It also holds where the request has no such key (`…IfExists`, `ForAllValues:`).
    var holdsWithoutKey: Bool
    /// `ForAnyValue:`, which does not hold where the request has no such key.
    private var needsKey: Bool
    /// As AWS documents it, where it is a key that narrows; else as it is written.
    var key: String
    var values: [String]

    static func all(in value: StateValue, _ path: String) -> Reading<[PolicyCondition]> {
        guard case .map(let comparisons) = value else {
            if case .unknown(let reason) = value { return .unknown(reason) }
            return .known([])
        }
        var all: [PolicyCondition] = []
        for comparison in comparisons.members {
            guard case .map(let keys) = comparison.value, keys.openBecause == nil, comparisons.openBecause == nil else {
                return .unknown(value.unknownReason ?? "\(path).Condition.\(comparison.name) is no map")
            }
            for key in keys.members {
                switch key.value.texts("\(path).Condition.\(comparison.name).\(key.name)") {
                case .unknown(let reason): return .unknown(reason)
                case .known(let values): all.append(PolicyCondition(comparison.name, key.name, values))
                }
            }
        }
        return .known(all)
    }

    private init(_ comparison: String, _ key: String, _ values: [String]) {
        var comparison = comparison.lowercased()
        holdsWithoutKey = false
        needsKey = comparison.hasPrefix("foranyvalue:")
        if comparison.hasSuffix("ifexists") {
            comparison.removeLast("ifexists".count)
            holdsWithoutKey = true
        }
        if comparison.hasPrefix("forallvalues:") { holdsWithoutKey = true }
        if let colon = comparison.firstIndex(of: ":") {
            comparison = String(comparison[comparison.index(after: colon)...])
        }
        self.comparison = comparison
        self.key = PolicyCondition.narrowing.first { $0.lowercased() == key.lowercased() } ?? key
        self.values = values
    }

    /// Keys that say who is asking or on whose behalf, the ones that name somebody first.
    private static let narrowing = [
        "aws:PrincipalArn", "aws:PrincipalAccount", "kms:CallerAccount", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths",
        "aws:SourceAccount", "aws:SourceOwner", "aws:SourceOrgID", "s3:DataAccessPointAccount", "aws:SourceArn",
        "s3:DataAccessPointArn", "aws:SourceVpce", "aws:SourceVpc", "aws:VpcSourceIp", "aws:SourceIp",
    ]

    /// The condition excludes nobody: any value will do.
    var isVoid: Bool {
        switch comparison {
        case "stringlike", "arnlike", "arnequals": values.contains("*")
        case "ipaddress": (try? IPSet(JSON.array(values.map(JSON.string))))?.coversInternet ?? false
        default: false
        }
    }

    /// To whom the condition narrows what is granted to everyone; `nil` where it does not. Only fixed values do: a
    /// pattern must name the account or organisation, and public ranges of addresses may be as large as a /8 or
    /// (IPv6) a /32, as S3 decides what is public.
    var narrowsTo: [String]? {
        if holdsWithoutKey { return nil }
        return fixedValues(
            equal: ["stringequals", "stringequalsignorecase", "arnequals", "arnlike", "stringlike"],
            address: "ipaddress")
    }

    /// To whom a deny with this condition alone narrows the grants that it covers: it denies all others, those for
    /// whom the request has no such key among them.
    var deniesAllBut: [String]? {
        if needsKey { return nil }
        return fixedValues(
            equal: ["stringnotequals", "stringnotequalsignorecase", "arnnotequals", "arnnotlike", "stringnotlike"],
            address: "notipaddress")
    }

    private func fixedValues(equal: Set<String>, address: String) -> [String]? {
        guard PolicyCondition.narrowing.contains(key), !values.isEmpty else { return nil }
        if key == "aws:SourceIp" || key == "aws:VpcSourceIp" {
            guard comparison == address, let set = try? IPSet(JSON.array(values.map(JSON.string))) else { return nil }
            let open = set.intersection(.publicInternet)
            return open.v4.count > 1 << 24 || open.v6.count > 1 << 96 ? nil : set.cidrs
        }
        guard equal.contains(comparison) else { return nil }
        // In StringEquals a star is a star.
        let isLiteral = comparison.hasPrefix("string") && !comparison.contains("like")
        var narrowed: [String] = []
        for value in values {
            if value.contains("${") { return nil }
            if isLiteral || !PolicyPatterns.isPattern(value) {
                narrowed.append(PolicyStatement.normalized(value))
            } else if let account = PolicyStatement.account(of: value) {
                narrowed.append(account)
            } else if key == "aws:PrincipalOrgPaths", let slash = value.firstIndex(of: "/"),
                !PolicyPatterns.isPattern(String(value[..<slash]))
            {
                narrowed.append(String(value[..<slash]))
            } else {
                return nil
            }
        }
        return narrowed
    }

    /// A deny with it spares AWS's own services, which are nobody outside.
    var sparesServices: Bool {
        ["aws:principalisawsservice", "aws:viaawsservice"].contains(key.lowercased()) && values == ["false"]
            && comparison == "bool"
    }

    /// Whom a deny with these conditions, which all must hold, leaves of anyone; `nil` where that is not a list.
    static func left(by conditions: [PolicyCondition]) -> [String]? {
        let others = conditions.filter { !$0.sparesServices }.map(\.deniesAllBut)
        guard !others.isEmpty, others.allSatisfy({ $0 != nil }) else { return nil }
        return others.flatMap { $0 ?? [] }
    }

    /// Of several conditions, which all must hold, the one that names somebody most clearly.
    static func narrowed(by conditions: [PolicyCondition]) -> [String]? {
        conditions.compactMap { condition -> (rank: Int, to: [String])? in
            guard let to = condition.narrowsTo, let rank = narrowing.firstIndex(of: condition.key) else { return nil }
            return (rank, to)
        }.min { $0.rank < $1.rank }?.to
    }
}
