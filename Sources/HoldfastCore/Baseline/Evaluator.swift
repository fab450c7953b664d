internal import HoldfastJSON

/// One evaluation of one rule against one resource.
struct Evaluator {
    let document: StateValue
    let resource: ResourceID
    let params: [String: JSON]
    let context: EvaluationContext
    /// Where the rule's facets find the account's public access block, if the type has such a thing.
    let accountBlock: RelatedRead?
    /// The earliest moment at which something that was read becomes older than what it was compared with.
    var nextChange: Timestamp?

    init(
        _ document: StateValue, of resource: ResourceID, params: [String: JSON], accountBlock: RelatedRead? = nil,
        in context: EvaluationContext
    ) {
        self.document = document
        self.resource = resource
        self.params = params
        self.accountBlock = accountBlock
        self.context = context
    }

    var root: Cursor { Cursor(value: document, path: PropertyPath()) }

    /// - Parameter negated: inside an odd number of `not`; it turns only what messages say.
    mutating func judge(_ predicate: Predicate, _ cursor: Cursor, negated: Bool = false) -> Judgement {
        switch predicate {
        case .not(let inner): return judge(inner, cursor, negated: !negated).negated
        case .either(let choices): return .any(choices.map { judge($0, cursor, negated: negated) })
        case .allOf(let parts): return .all(parts.map { judge($0, cursor, negated: negated) })
        case .properties(let clauses):
            return .all(clauses.map { judge($0.predicate, subject($0.subject, of: cursor), negated: negated) })
        case .list(let quantifier, let body):
            return quantify(quantifier, body, predicate, cursor, negated: negated)
        case .count(let filter, let comparison, let operand):
            return count(filter, comparison, operand, predicate, cursor, negated: negated)
        case .contains, .outside, .overlap, .cidrWithin, .cidrContains, .reaches:
            return judgeSet(predicate, cursor, negated: negated)
        default:
            let (truth, reason) = test(predicate, cursor.value)
            return decided(truth, by: predicate, cursor, negated, because: reason)
        }
    }

    func decided(
        _ truth: Truth, by predicate: Predicate, _ cursor: Cursor, _ negated: Bool, because reason: String? = nil
    ) -> Judgement {
        if truth == .unknown { return .unknown("\(cursor.path): \(reason ?? "not known")") }
        return Judgement(
            truth: truth, witnesses: [Witness(cursor: cursor, predicate: predicate, isNegated: negated)])
    }

    // MARK: What a clause reads

    private func subject(_ subject: Predicate.Subject, of cursor: Cursor) -> Cursor {
        switch subject {
        case .property(let path): return cursor.at(path)
        case .tag(let name):
            let labels = Cursor(value: context.labels, path: PropertyPath(names: "tag"))
            return labels.at(PropertyPath([.name(name)]))
        case .related(let read):
            let found = context.related(read)
            let path = read.isReverse ? PropertyPath() : read.by
            let items = found.members.map { member in
                Cursor(
                    value: member.document, path: path, key: member.id.id, isElement: true, isOpaque: true,
                    shown: .scalar(.string(member.id.id)))
            }
            let reason = found.openBecause.map { "\(read.name): \($0)" }
            var list = Cursor.made(items, openBecause: reason, at: path)
            list.shown = .list(StateList(items.map { .init(key: $0.key, value: $0.shown ?? .absent) }))
            return list
        case .facet(let facet, let paths): return self.facet(facet, of: paths)
        }
    }

    // MARK: Lists

    private mutating func quantify(
        _ quantifier: Predicate.Quantifier, _ body: Predicate, _ whole: Predicate, _ cursor: Cursor, negated: Bool
    ) -> Judgement {
        if quantifier != .all, let (path, reach, rest) = body.reachOfElements {
            let found = reaching(
                reach, at: path, rest: rest, body: body, cursor, negated: quantifier == .any && negated)
            return quantifier == .any ? found : found.negated
        }
        let (items, openBecause) = cursor.elements
        let wanted: Truth = quantifier == .all ? .no : .yes
        // The witnesses of an element are what it was not to be: of `none` and `not any` that it is so.
        let bodyNegated = quantifier == .none ? !negated : negated
        var deciding: [Witness] = []
        var reasons: [String] = []
        for item in items {
            let part = judge(body, item, negated: bodyNegated)
            switch part.truth {
            case wanted: deciding += elementWitnesses(part, item, body, quantifier, negated: bodyNegated)
            case .unknown: reasons += part.reasons
            default: break
            }
        }
        let decisive: Truth = quantifier == .any ? .yes : .no
        if !deciding.isEmpty { return Judgement(truth: decisive, witnesses: deciding) }
        if let openBecause { reasons.append("\(cursor.path): \(openBecause)") }
        if !reasons.isEmpty { return Judgement(truth: .unknown, reasons: reasons) }
        return decided(decisive.negated, by: whole, cursor, negated)
    }

    /// The element itself; of `all` the deeper elements, where it was deeper elements that decided.
    private func elementWitnesses(
        _ part: Judgement, _ item: Cursor, _ body: Predicate, _ quantifier: Predicate.Quantifier, negated: Bool
    ) -> [Witness] {
        let deeper = part.witnesses
        if quantifier == .all, !item.isOpaque, !deeper.isEmpty,
            deeper.allSatisfy({ $0.cursor.isElement && $0.cursor.path.steps.count > item.path.steps.count })
        {
            return deeper
        }
        return [Witness(cursor: item, predicate: body, isNegated: negated)]
    }

    private mutating func count(
        _ filter: Predicate?, _ comparison: Predicate.Comparison, _ operand: Operand, _ whole: Predicate,
        _ cursor: Cursor, negated: Bool
    ) -> Judgement {
        guard let wanted = resolve(operand).values?.first?.number else {
            return .unknown("\(cursor.path): no number to compare with")
        }
        let (items, openBecause) = cursor.elements
        var certain: [Cursor] = []
        var undecided = 0
        var reasons: [String] = []
        for item in items {
            let part = filter.map { judge($0, item, negated: negated) } ?? Evaluator.exists(item)
            switch part.truth {
            case .yes: certain.append(item)
            case .no: break
            case .unknown:
                undecided += 1
                reasons += part.reasons
            }
        }
        let least = Double(certain.count)
        let most = openBecause == nil ? least + Double(undecided) : .infinity
        let truth = Evaluator.compare(least, most, comparison, wanted)
        if truth == .unknown {
            if let openBecause { reasons.append("\(cursor.path): \(openBecause)") }
            return Judgement(truth: .unknown, reasons: reasons)
        }
        // Too many: the elements are what offends; too few: the list.
        if least > wanted, !certain.isEmpty {
            return Judgement(
                truth: truth,
                witnesses: certain.map { Witness(cursor: $0, predicate: whole, isNegated: negated) })
        }
        return decided(truth, by: whole, cursor, negated)
    }

    /// An element in doubt may turn out not to be there.
    private static func exists(_ item: Cursor) -> Judgement {
        if case .unknown(let reason) = item.value { return .unknown("\(item.path): \(reason)") }
        return Judgement(truth: .yes)
    }

    /// Whether every, no or some number from `least` to `most` compares so.
    private static func compare(
        _ least: Double, _ most: Double, _ comparison: Predicate.Comparison, _ wanted: Double
    ) -> Truth {
        if least == most { return Truth(comparison.holds(least, wanted)) }
        switch comparison {
        case .moreThan, .atLeast:
            return comparison.holds(least, wanted) ? .yes : comparison.holds(most, wanted) ? .unknown : .no
        case .lessThan, .atMost:
            return comparison.holds(most, wanted) ? .yes : comparison.holds(least, wanted) ? .unknown : .no
        case .exactly: return wanted < least || wanted > most ? .no : .unknown
        }
    }
}
