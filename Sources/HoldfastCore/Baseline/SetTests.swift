internal import HoldfastJSON

/// The operators on sets of names, ports and addresses. A list is the union of its elements, one value a set of one.
extension Evaluator {
    mutating func judgeSet(_ predicate: Predicate, _ cursor: Cursor, negated: Bool) -> Judgement {
        switch predicate {
        case .reaches(let reach):
            return reaching(reach, at: PropertyPath(), rest: nil, body: predicate, cursor, negated: negated)
        case .contains(let operand):
            return each(operand, predicate, cursor, negated, decisive: .yes) { values, json in
                values.contains { json.isScalar($0) }
            }
        case .overlap(let operand):
            return each(operand, predicate, cursor, negated, decisive: .yes) { values, json in
                guard let wanted = try? PortSet(.array(values)), let ports = try? PortSet(json) else { return false }
                return ports.overlaps(wanted)
            }
        case .cidrWithin(let operand):
            return each(operand, predicate, cursor, negated, decisive: .no) { values, json in
                guard let wanted = try? IPSet(.array(values)), let range = try? IPSet(json) else { return false }
                return range.isSubset(of: wanted)
            }
        case .outside(let operand): return outside(operand, predicate, cursor, negated: negated)
        case .cidrContains(let operand): return containing(operand, predicate, cursor, negated: negated)
        default: return .unknown("\(cursor.path): cannot be tested")
        }
    }

    /// One element that is `decisive` decides the list; an absent list has none.
    private func each(
        _ operand: Operand, _ predicate: Predicate, _ cursor: Cursor, _ negated: Bool, decisive: Truth,
        _ holds: ([JSON], JSON) -> Bool
    ) -> Judgement {
        let values: [JSON]
        switch resolve(operand) {
        case .unknown(let reason): return .unknown("\(cursor.path): \(reason)")
        case .values(let found): values = found
        }
        return each(predicate, cursor, negated, decisive: decisive) { json in Truth(holds(values, json)) }
    }

    private func each(
        _ predicate: Predicate, _ cursor: Cursor, _ negated: Bool, decisive: Truth, because: String? = nil,
        _ test: (JSON) -> Truth
    ) -> Judgement {
        let (items, openBecause) = cursor.elements
        // "Within" of what is not there is `no`, like every operator on what is absent.
        if items.isEmpty, openBecause == nil { return decided(.no, by: predicate, cursor, negated) }
        var deciding: [Witness] = []
        var reasons: [String] = []
        for item in items {
            let truth: Truth
            switch item.value {
            case .scalar(let json): truth = test(json)
            case .absent, .list, .map: truth = .no
            case .unknown: truth = .unknown
            }
            if truth == decisive {
                deciding.append(Witness(cursor: item, predicate: predicate, isNegated: negated))
            } else if truth == .unknown {
                reasons.append("\(item.path): \(item.value.unknownReason ?? because ?? "not known")")
            }
        }
        if !deciding.isEmpty { return Judgement(truth: decisive, witnesses: deciding) }
        if let openBecause { reasons.append("\(cursor.path): \(openBecause)") }
        if !reasons.isEmpty { return Judgement(truth: .unknown, reasons: reasons) }
        return decided(decisive.negated, by: predicate, cursor, negated)
    }

    /// A name is inside a list that names it, its account, project or domain. "Everyone" is outside any list. Of our
    /// accounts the resource's own is always one, and the only one where the configuration names none.
    private func outside(_ operand: Operand, _ predicate: Predicate, _ cursor: Cursor, negated: Bool) -> Judgement {
        var names: Set<String> = []
        var isComplete = true
        var reason: String?
        switch resolve(operand) {
        case .values(let values): names = Set(values.compactMap { $0.scalarText?.lowercased() })
        case .unknown(let why):
            isComplete = false
            reason = why
        }
        if case .list(Baseline.ourAccounts) = operand {
            names.insert(context.place.account.lowercased())
            isComplete = true
        }
        return each(predicate, cursor, negated, decisive: .yes, because: reason) { json in
            guard let text = json.scalarText else { return .no }
            let party = PartyName(text)
            if party.isService || party.names.contains(where: { names.contains($0) }) { return .no }
            return party.isEveryone || isComplete ? .yes : .unknown
        }
    }

    private func containing(_ operand: Operand, _ predicate: Predicate, _ cursor: Cursor, negated: Bool) -> Judgement {
        let wanted: IPSet
        switch resolve(operand) {
        case .unknown(let reason): return .unknown("\(cursor.path): \(reason)")
        case .values(let values): wanted = (try? IPSet(.array(values))) ?? IPSet()
        }
        let (items, openBecause) = cursor.elements
        var union = IPSet()
        var witnesses: [Witness] = []
        var reasons: [String] = openBecause.map { ["\(cursor.path): \($0)"] } ?? []
        for item in items {
            if case .unknown(let reason) = item.value { reasons.append("\(item.path): \(reason)") }
            guard case .scalar(let json) = item.value, let range = try? IPSet(json) else { continue }
            union.formUnion(range)
            if range.overlaps(wanted) {
                witnesses.append(Witness(cursor: item, predicate: predicate, isNegated: negated))
            }
        }
        if wanted.isSubset(of: union), !wanted.isEmpty { return Judgement(truth: .yes, witnesses: witnesses) }
        if !reasons.isEmpty { return Judgement(truth: .unknown, reasons: reasons) }
        return decided(.no, by: predicate, cursor, negated)
    }

    // MARK: Reach

    /// Whether the addresses at a path of those elements for which `rest` holds reach so far, all taken together:
    /// 0.0.0.0/1 in one rule and 128.0.0.0/1 in the next are the internet.
    mutating func reaching(
        _ reach: Predicate.Reach, at path: PropertyPath, rest: Predicate?, body: Predicate, _ cursor: Cursor,
        negated: Bool
    ) -> Judgement {
        let (items, openBecause) = cursor.elements
        var certain: [(item: Cursor, range: IPSet)] = []
        var possible = IPSet()
        // Why there may be more addresses than are known, and why an element may not count.
        var openReasons: [String] = openBecause.map { ["\(cursor.path): \($0)"] } ?? []
        var reasons: [String] = []
        for item in items {
            let other = rest.map { judge($0, item, negated: negated) } ?? Judgement(truth: .yes)
            if other.truth == .no { continue }
            let (range, reason) = Evaluator.range(at: path, of: item)
            if let reason { openReasons.append(reason) }
            possible.formUnion(range)
            if other.truth == .yes { certain.append((item, range)) } else { reasons += other.reasons }
        }
        let known = certain.reduce(IPSet()) { $0.union($1.range) }
        if reaches(reach, known) == .yes {
            return Judgement(
                truth: .yes,
                witnesses: contributors(certain, reach).map {
                    Witness(cursor: $0, predicate: body, isNegated: negated)
                })
        }
        let most = reaches(reach, possible)
        if most == .no, openReasons.isEmpty { return decided(.no, by: body, cursor, negated) }
        if most == .unknown { reasons.append("\(cursor.path): list our-networks is not in the configuration") }
        return Judgement(truth: .unknown, reasons: openReasons + reasons)
    }

    /// The union of all addresses at a path, and why there may be more.
    private static func range(at path: PropertyPath, of item: Cursor) -> (IPSet, String?) {
        let (values, openBecause) = item.at(path).elements
        var range = IPSet()
        var reason = openBecause.map { "\(item.path): \($0)" }
        for value in values {
            if case .unknown(let why) = value.value { reason = reason ?? "\(value.path): \(why)" }
            // What is no range of addresses (another group, a service's name) adds none.
            guard case .scalar(let json) = value.value, let set = try? IPSet(json) else { continue }
            range.formUnion(set)
        }
        return (range, reason)
    }

    private func reaches(_ reach: Predicate.Reach, _ range: IPSet) -> Truth {
        switch reach {
        case .internet: return Truth(range.coversInternet)
        case .outsideOurNetworks:
            if range.isEmpty { return .no }
            if range.coversInternet { return .yes }
            guard let texts = context.lists["our-networks"] else { return .unknown }
            let ours = (try? IPSet(.array(texts.map { .string($0) }))) ?? IPSet()
            return Truth(range.reachesOutside(of: ours))
        }
    }

    /// The elements without which the rest would not reach so far: those that do alone, then the widest together.
    private func contributors(_ parts: [(item: Cursor, range: IPSet)], _ reach: Predicate.Reach) -> [Cursor] {
        var chosen = parts.filter { reaches(reach, $0.range) == .yes }.map(\.item)
        var rest = parts.filter { reaches(reach, $0.range) != .yes }
            .sorted { ($0.range.v4.count, $0.range.v6.count) > ($1.range.v4.count, $1.range.v6.count) }
        while reaches(reach, rest.reduce(IPSet()) { $0.union($1.range) }) == .yes {
            var union = IPSet()
            while reaches(reach, union) != .yes {
                let next = rest.removeFirst()
                union.formUnion(next.range)
                chosen.append(next.item)
            }
        }
        return chosen
    }
}

extension Predicate {
    /// A quantifier's body that asks how far its elements reach: where the addresses stand in an element, how far, and
    /// what else is asked.
    var reachOfElements: (path: PropertyPath, reach: Reach, rest: Predicate?)? {
        switch self {
        case .reaches(let reach): return (PropertyPath(), reach, nil)
        case .properties(let clauses):
            for (index, clause) in clauses.enumerated() {
                guard case .property(let path) = clause.subject, case .reaches(let reach) = clause.predicate
                else { continue }
                var others = clauses
                others.remove(at: index)
                return (path, reach, others.isEmpty ? nil : .properties(others))
            }
            return nil
        default: return nil
        }
    }
}
