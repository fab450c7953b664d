internal import HoldfastJSON

/// A data file of the baseline, read into nodes.
package struct BaselineFile: Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        case rules, frameworks, exemptions, pins, tune
    }
    package var kind: Kind
    /// The path below the folder of its kind, without its ending: `any/network/admin-ports-not-open`.
    package var name: String
    package var node: Node

    package init(kind: Kind, name: String, node: Node) {
        self.kind = kind
        self.name = name
        self.node = node
    }

    /// What a file below a baseline folder is, by the first part of its path: `rules/aws/s3/a.yaml` is the rule
    /// `aws/s3/a`. `nil` where it lies in none of the folders.
    package static func place(ofPath path: String) -> (kind: Kind, name: String)? {
        let parts = path.split(separator: "/")
        guard parts.count > 1, let first = parts.first, let kind = Kind(rawValue: String(first)) else { return nil }
        var name = parts.dropFirst().joined(separator: "/")
        for ending in [".yaml", ".yml"] where name.hasSuffix(ending) { name = String(name.dropLast(ending.count)) }
        return (kind, name)
    }

    /// The grammar of a kind of file.
    package static func shape(of kind: Kind) -> Shape {
        switch kind {
        case .rules: Rule.shape
        case .frameworks: Framework.shape
        case .exemptions: Exemption.shape
        case .pins: Pin.shape
        case .tune: Tune.shape
        }
    }
}

extension Baseline {
    /// Lists that every configuration has.
    package static let configurationLists: Set<String> = [ourAccounts, "our-networks"]
    /// The list of our accounts' ids.
    package static let ourAccounts = "our-accounts"

    /// Reads all files of a baseline against a catalog. What is broken is left out and the rest holds.
    ///
    /// - Parameters:
    ///   - lists: names of further lists of the configuration.
    ///   - environments: the configuration's; empty: scopes are not checked for them.
    ///   - now: what the ends of exemptions are measured from.
    package static func load(
        _ files: [BaselineFile], catalog: Catalog, lists: Set<String> = [], environments: [String] = [],
        now: Timestamp
    ) -> (baseline: Baseline, problems: [Problem]) {
        var loader = BaselineLoader(
            catalog: catalog, lists: configurationLists.union(lists), environments: environments, now: now)
        let sorted = files.sorted { ($0.name, $0.node.place) < ($1.name, $1.node.place) }
        for kind in BaselineFile.Kind.allCases {
            // Tunes come last: they are checked against the rules.
            for file in sorted where file.kind == kind { loader.read(file) }
            if kind == .rules { loader.nameRules() }
        }
        loader.finish()
        return (loader.baseline, loader.problems.sorted { $0.place < $1.place })
    }
}

private struct BaselineLoader {
    let catalog: Catalog
    let environments: [String]
    let now: Timestamp
    var rules: RuleLoader
    var baseline = Baseline()
    var problems: [Problem] = []
    /// Ids of rules whose files have problems: that nothing else is said of them.
    var brokenRules: Set<String> = []

    init(catalog: Catalog, lists: Set<String>, environments: [String], now: Timestamp) {
        self.catalog = catalog
        self.environments = environments
        self.now = now
        rules = RuleLoader(catalog: catalog, lists: lists)
    }

    mutating func read(_ file: BaselineFile) {
        if file.kind == .rules {
            if let rule = rules.rule(id: file.name, file.node) {
                baseline.rules.append(rule)
            } else {
                brokenRules.insert(file.name)
            }
            return
        }
        let faults = BaselineFile.shape(of: file.kind).problems(in: file.node)
        problems += faults
        guard faults.isEmpty else { return }
        switch file.kind {
        case .rules: break
        case .frameworks: read(framework: Framework(id: file.name, file.node))
        case .exemptions:
            for node in file.node.oneOrMany { read(exemption: node) }
        case .pins: read(pin: file)
        case .tune:
            for node in file.node.oneOrMany { read(tune: node) }
        }
    }

    /// Every id and every earlier id belongs to one rule.
    mutating func nameRules() {
        var places: [String: SourcePlace] = [:]
        var kept: [Rule] = []
        for rule in baseline.rules {
            if let first = places[rule.id] {
                problems.append(
                    Problem("rule \"\(rule.id)\" is here twice; the first stands in \(first.file)", at: rule.place))
                continue
            }
            places[rule.id] = rule.place
            kept.append(rule)
        }
        baseline.rules = kept.sorted { $0.id < $1.id }
        for (number, rule) in baseline.rules.enumerated() { baseline.ruleNumbers[rule.id] = number }
        for rule in baseline.rules {
            for old in rule.was {
                if let other = places[old] {
                    problems.append(
                        Problem("\"\(old)\" cannot be an earlier id: \(other.file) has it", at: rule.place))
                } else {
                    places[old] = rule.place
                    baseline.renamed[old] = rule.id
                }
            }
        }
    }

    private mutating func read(framework: Framework) {
        for control in framework.controls {
            if control.rules.isEmpty, (control.because ?? "").isEmpty {
                problems.append(
                    Problem("control \(control.id) has neither rules nor because", at: control.place))
            }
            for rule in control.rules { check(rule: rule, at: control.place, in: "control \(control.id)") }
        }
        baseline.frameworks.append(framework)
    }

    private mutating func read(exemption node: Node) {
        guard let exemption = Exemption(node, now: now, &problems) else { return }
        let id = baseline.renamed[exemption.rule] ?? exemption.rule
        if !id.hasPrefix("pin/") { check(rule: exemption.rule, at: node["rule"]?.place ?? node.place, in: "exemption") }
        baseline.exemptions.append(exemption)
        baseline.exemptionsByRule[id, default: []].append(exemption)
    }

    private mutating func read(pin file: BaselineFile) {
        let space = file.node["type"]?.text.flatMap { rules.space(of: $0) }
        let id = "pin/\(file.name)"
        check(scope: file.node["scope"])
        guard let pin = Pin(id: id, file.node, space: space, typeNames: catalog.typeNames, &problems) else { return }
        if let first = baseline.pin(id) {
            problems.append(
                Problem("pin \"\(id)\" is here twice; the first stands in \(first.place.file)", at: pin.place))
            return
        }
        baseline.pins.append(pin)
    }

    private mutating func read(tune node: Node) {
        var tune = Tune(node)
        check(scope: node["scope"])
        guard let rule = baseline.rule(tune.rule) else {
            check(rule: tune.rule, at: node["rule"]?.place ?? node.place, in: "tune")
            return
        }
        tune.rule = rule.id
        for entry in node["params"]?.entries ?? [] {
            guard rule.params[entry.key] != nil else {
                let hint = suggestion(for: entry.key, among: rule.params.keys.sorted())
                problems.append(Problem("\(rule.id) has no param \"\(entry.key)\"\(hint)", at: entry.keyPlace))
                return
            }
            for kind in OperandKind.allCases where rule.paramKinds[entry.key]?.contains(kind) ?? false {
                if kind.allows(entry.value.json) { continue }
                problems.append(
                    Problem("param \"\(entry.key)\" of \(rule.id) takes \(kind.expectation)", at: entry.value.place))
                return
            }
        }
        if let reason = tune.disable, reason.allSatisfy(\.isWhitespace) {
            problems.append(Problem("disable takes the reason why", at: node["disable"]?.place ?? node.place))
            return
        }
        baseline.tunes.append(tune)
        baseline.tunesByRule[rule.id, default: []].append(tune)
    }

    private mutating func check(rule id: String, at place: SourcePlace, in what: String) {
        if baseline.rule(id) != nil || brokenRules.contains(id) { return }
        let hint = nearestWord(to: id, among: baseline.ruleIDs).map { "; did you mean \"\($0)\"?" } ?? ""
        problems.append(Problem("\(what): there is no rule \"\(id)\"\(hint)", at: place))
    }

    private mutating func check(scope node: Node?) {
        for text in node?["type"]?.oneOrMany ?? [] {
            guard let name = text.text, catalog.type(name) == nil else { continue }
            problems.append(
                Problem("unknown type \"\(name)\"\(suggestion(for: name, among: catalog.typeNames))", at: text.place))
        }
        for text in node?["environment"]?.oneOrMany ?? [] where !environments.isEmpty {
            guard let name = text.text, !environments.contains(name) else { continue }
            problems.append(
                Problem("unknown environment \"\(name)\"\(suggestion(for: name, among: environments))", at: text.place))
        }
    }

    mutating func finish() {
        problems += rules.problems
        for rule in baseline.rules { checkFilled(rule) }
        baseline.index = RuleIndex(baseline.rules, baseline.pins, types: catalog.types)
    }

    /// A rule that nothing can ever fill a path of would stay unknown for ever.
    private mutating func checkFilled(_ rule: Rule) {
        guard !rule.reads.paths.isEmpty else { return }
        for type in rule.types where !catalog.fills(rule.reads.paths, of: type) {
            let paths = rule.reads.paths.map(\.description).joined(separator: ", ")
            problems.append(
                Problem(
                    "no event and no read fills \(paths) of \(type); the rule could never say anything",
                    at: rule.place))
        }
    }
}

extension Catalog {
    /// Whether some read of the type, or some event, says something of one of these paths.
    func fills(_ paths: [PropertyPath], of name: String) -> Bool {
        let read = (types[name]?.read ?? []).flatMap(\.paths)
        let carried = meanings.values.flatMap(\.effects).filter { $0.types.contains(name) }
            .flatMap { $0.carries.flatMap(\.paths) }
        return (read + carried).contains { filled in
            paths.contains { $0.hasPrefix(filled) || filled.hasPrefix($0) }
        }
    }
}
