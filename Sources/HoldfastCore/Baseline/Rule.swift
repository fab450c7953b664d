package import HoldfastJSON

/// How far a rule is trusted.
package enum Maturity: String, Sendable, Hashable, CaseIterable, Comparable {
    /// Reports.
    case draft
    /// Also plans.
    case trial
    /// May be remediated.
    case stable

    package static func < (a: Maturity, b: Maturity) -> Bool { a.rank < b.rank }
    private var rank: Int {
        switch self {
        case .draft: 0
        case .trial: 1
        case .stable: 2
        }
    }
}

/// What should be true of every resource of some types.
package struct Rule: Sendable {
    /// The file's path below `rules/`, without its ending: `any/network/admin-ports-not-open`.
    package var id: String
    package var title: String
    package var types: [String]
    package var severity: Severity
    package var maturity: Maturity
    package var params: [String: JSON]
    /// To whom it applies; `nil`: to all.
    package var applies: Predicate?
    package var expect: Predicate
    package var why: String
    /// Guidance for people: where (`console`, `cli`, `hcl`, …) and what to do there, in the order of the file.
    package var fix: [Fix]
    /// Ids that it had before: history and exemptions under them are its own.
    package var was: [String]
    package var reads: ReadSet
    package var tests: [RuleTest]
    package var place: SourcePlace
    /// What each param is compared as, for checking tuned values.
    var paramKinds: [String: Set<OperandKind>]

    package struct Fix: Sendable, Hashable {
        package var by: String
        package var text: String
    }

    /// - Parameters:
    ///   - document: the resource's configuration, its lists with their keys (``StateValue/keyed(by:)``).
    ///   - params: the rule's own where nothing is tuned: see ``Baseline/effective(_:in:)``.
    package func evaluate(
        _ document: StateValue, of resource: ResourceID, params: [String: JSON]? = nil, in context: EvaluationContext
    ) -> Evaluation {
        let block = reads.relations.first { $0.read.name == Facet.accountBlock }?.read
        var evaluator = Evaluator(
            document, of: resource, params: params ?? self.params, accountBlock: block, in: context)
        let root = evaluator.root
        let verdict = verdict(by: &evaluator, root)
        return Evaluation(verdict, nextChange: evaluator.nextChange)
    }

    private func verdict(by evaluator: inout Evaluator, _ root: Cursor) -> Verdict {
        if let applies {
            let judgement = evaluator.judge(applies, root)
            switch judgement.truth {
            case .no:
                return Verdict(
                    .notApplicable, reason: "it applies only where \(applies.phrase(evaluator.params))")
            case .unknown: return Verdict(.unknown, reason: Rule.reason(judgement.reasons))
            case .yes: break
            }
        }
        let judgement = evaluator.judge(expect, root)
        switch judgement.truth {
        case .yes: return Verdict(.pass)
        case .unknown: return Verdict(.unknown, reason: Rule.reason(judgement.reasons))
        case .no:
            return Verdict(
                .drift, offending: evaluator.offending(judgement.witnesses),
                reason: "expected \(expect.phrase(evaluator.params))")
        }
    }

    /// The first three reasons, each once, in the order in which the rule reads.
    private static func reason(_ reasons: [String]) -> String {
        var seen: Set<String> = []
        let unique = reasons.filter { seen.insert($0).inserted }
        return unique.prefix(3).joined(separator: "; ") + (unique.count > 3 ? "; and \(unique.count - 3) more" : "")
    }
}

extension Evaluator {
    /// Sorted by path and key, each place once.
    func offending(_ witnesses: [Witness]) -> [Offending] {
        var offending: [Offending] = []
        func add(_ path: PropertyPath, _ key: String?, _ actual: JSON, _ witness: Witness) {
            if offending.contains(where: { $0.path == path && $0.key == key }) { return }
            let phrase = witness.predicate.phrase(params)
            offending.append(
                Offending(
                    path: path, key: key, actual: actual, expected: witness.isNegated ? "not \(phrase)" : phrase))
        }
        for witness in witnesses {
            let cursor = witness.cursor
            if cursor.sources.isEmpty {
                add(cursor.path, cursor.key, (cursor.shown ?? cursor.value).json, witness)
            }
            for source in cursor.sources { add(source.path, source.key, source.actual, witness) }
        }
        return offending.sorted { ($0.path, $0.key ?? "") < ($1.path, $1.key ?? "") }
    }
}
