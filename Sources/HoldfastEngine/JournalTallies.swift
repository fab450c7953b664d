/// Sums over a journal, for metrics.
package struct JournalTallies: Sendable, Hashable {
    /// Findings of one state, severity and environment.
    package struct Findings: Sendable, Hashable {
        package var state: String
        package var severity: String
        package var environment: String
        package var count: Int
        package init(state: String, severity: String, environment: String, count: Int) {
            self.state = state
            self.severity = severity
            self.environment = environment
            self.count = count
        }
    }
    /// In the order of state, severity and environment.
    package var findings: [Findings]
    /// By name, over all labels and hours.
    package var counters: [(name: String, amount: Int64)]
    package var resources: Int
    package var deadLetters: Int

    package init(
        findings: [Findings] = [], counters: [(name: String, amount: Int64)] = [], resources: Int = 0,
        deadLetters: Int = 0
    ) {
        self.findings = findings
        self.counters = counters
        self.resources = resources
        self.deadLetters = deadLetters
    }

    package static func == (a: JournalTallies, b: JournalTallies) -> Bool {
        a.findings == b.findings && a.counters.elementsEqual(b.counters, by: ==) && a.resources == b.resources
            && a.deadLetters == b.deadLetters
    }
    package func hash(into hasher: inout Hasher) {
        hasher.combine(findings)
        hasher.combine(resources)
    }
}
