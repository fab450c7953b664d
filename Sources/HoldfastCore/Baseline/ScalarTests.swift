package import HoldfastJSON

/// What an operand stands for in one evaluation.
enum Resolved {
    case values([JSON])
    case unknown(String)

    var values: [JSON]? { if case .values(let values) = self { values } else { nil } }
}

extension Evaluator {
    func resolve(_ operand: Operand) -> Resolved {
        switch operand {
        case .literal(let json): return .values(json.array ?? [json])
        case .param(let name):
            guard let json = params[name] else { return .unknown("param \(name) has no value") }
            return .values(json.array ?? [json])
        case .list(let name):
            guard let texts = context.lists[name] else { return .unknown("list \(name) is not in the configuration") }
            return .values(texts.map { .string($0) })
        }
    }

    /// The operators on one value. On what is absent each is `no`, but for the words that ask for it.
    mutating func test(_ predicate: Predicate, _ value: StateValue) -> (Truth, String?) {
        if case .word(let word) = predicate { return Evaluator.test(word, value) }
        switch value {
        case .unknown(let reason): return (.unknown, reason)
        case .absent: return (.no, nil)
        case .scalar(let json): return test(predicate, scalar: json)
        case .list, .map:
            switch predicate {
            case .equals, .isIn: return (.no, nil)
            default: return (.unknown, "a list or a map stands where one value was expected")
            }
        }
    }

    private static func test(_ word: Predicate.StateWord, _ value: StateValue) -> (Truth, String?) {
        switch word {
        case .present: return presence(of: value)
        case .absent:
            let (truth, reason) = presence(of: value)
            return (truth.negated, reason)
        case .empty:
            switch value {
            case .unknown(let reason): return (.unknown, reason)
            case .absent: return (.yes, nil)
            case .scalar(let json): return (Truth(json.string == ""), nil)
            case .list(let list):
                if list.elements.contains(where: { $0.value.isCertain }) { return (.no, nil) }
                let reason = list.openBecause ?? list.elements.lazy.compactMap(\.value.unknownReason).first
                return (reason == nil ? .yes : .unknown, reason)
            case .map(let map):
                if map.members.contains(where: { $0.value.isCertain && $0.value != .absent }) { return (.no, nil) }
                let reason = map.openBecause ?? map.members.lazy.compactMap(\.value.unknownReason).first
                return (reason == nil ? .yes : .unknown, reason)
            }
        }
    }

    /// Whether something stands there. A list or map of which nothing certain is known may turn out not to be there.
    private static func presence(of value: StateValue) -> (Truth, String?) {
        switch value {
        case .unknown(let reason): return (.unknown, reason)
        case .absent: return (.no, nil)
        case .scalar: return (.yes, nil)
        case .list(let list):
            guard let reason = list.openBecause, !list.elements.contains(where: { $0.value.isCertain }) else {
                return (.yes, nil)
            }
            return (.unknown, reason)
        case .map(let map):
            guard let reason = map.openBecause,
                !map.members.contains(where: { $0.value.isCertain && $0.value != .absent })
            else { return (.yes, nil) }
            return (.unknown, reason)
        }
    }

    private mutating func test(_ predicate: Predicate, scalar json: JSON) -> (Truth, String?) {
        switch predicate {
        case .equals(let operand), .isIn(let operand):
            return with(operand) { _, values in (Truth(values.contains { json.isScalar($0) }), nil) }
        case .compares(let comparison, let operand):
            return with(operand) { _, values in
                guard let number = json.number else { return (.unknown, "\(json.scalarText ?? "") is no number") }
                guard let wanted = values.first?.number else { return (.unknown, "no number to compare with") }
                return (Truth(comparison.holds(number, wanted)), nil)
            }
        case .text(let test, let operand):
            return with(operand) { _, values in
                guard let text = json.scalarText else { return (.no, nil) }
                return (Truth(values.contains { test.holds(text, $0.scalarText ?? "") }), nil)
            }
        case .olderThan(let operand): return with(operand) { $0.isOlder(json, than: $1) }
        default: return (.unknown, "cannot be tested")
        }
    }

    private mutating func with(
        _ operand: Operand, _ body: (inout Evaluator, [JSON]) -> (Truth, String?)
    ) -> (Truth, String?) {
        switch resolve(operand) {
        case .unknown(let reason): (.unknown, reason)
        case .values(let values): body(&self, values)
        }
    }

    private mutating func isOlder(_ json: JSON, than values: [JSON]) -> (Truth, String?) {
        guard let moment = Timestamp(cloud: json) else { return (.unknown, "\(json.scalarText ?? "") is no time") }
        guard let age = values.first?.string.flatMap({ Span($0) }) else { return (.unknown, "no age to compare with") }
        let turns = moment + age
        if turns <= context.now { return (.yes, nil) }
        nextChange = nextChange.map { min($0, turns) } ?? turns
        return (.no, nil)
    }
}

extension StateValue {
    /// Something that is known to be there, whatever may still be unknown inside.
    fileprivate var isCertain: Bool { if case .unknown = self { false } else { true } }
}

extension Timestamp {
    /// A time as clouds write it: RFC 3339, a date alone (its first second), or seconds since 1970.
    package init?(cloud json: JSON) {
        if case .number(let number) = json {
            let seconds = number.double
            guard seconds.isFinite, abs(seconds) < 9e9 else { return nil }
            self.init(nanoseconds: Int64(seconds * 1e3) * 1_000_000)
            return
        }
        guard let text = json.string else { return nil }
        if text.utf8.count == 10, let day = Timestamp(text + "T00:00:00Z") { self = day } else { self.init(text) }
    }
}
