/// Everything for which a human must act. Each has a runbook of its name.
package enum NoticeCode: String, Sendable, CaseIterable {
    /// Records came that could not be decoded.
    case deadLetters = "dead-letters"
    /// A part of a source is gone (an offset outside the log, a file that shrank): events may be missing.
    case sourceGap = "source-gap"
    /// A source fails and is tried again.
    case sourceFailing = "source-failing"
    /// Data files were broken when the service started; it runs without them.
    case dataBroken = "data-broken"
    /// Changed data files were refused; the old ones stay in force.
    case reloadRefused = "reload-refused"
    /// Changed data files would change many findings: they wait for a person.
    case reloadWaits = "reload-waits"
    /// Events carry times from the future: a clock is wrong, or somebody forges.
    case eventsFromFuture = "events-from-future"
    /// The cloud does not let us read something: it stays unknown.
    case readDenied = "read-denied"
    /// Events come from accounts that nobody configured: nothing in these is read.
    case accountUnknown = "account-unknown"
    /// Events name a region that their cloud does not have.
    case regionUnknown = "region-unknown"
    /// An organisation does not say all of its accounts.
    case discoveryFailing = "discovery-failing"
    /// An anchor does not take checkpoints of the audit log.
    case anchorFailing = "anchor-failing"
    /// The oldest dirty resource waits longer than the limit.
    case dirtyTooOld = "dirty-too-old"
    /// The first scan or changed rules opened findings: one digest, no prompts.
    case baselineFindings = "baseline-findings"
    /// Plans wait for people.
    case approvalWaiting = "approval-waiting"
    /// Nobody can be told of a plan that waits.
    case promptFailed = "prompt-failed"
    /// A channel does not take messages.
    case messageFailed = "message-failed"
    /// A budget is spent: what drifts is reported and not fixed.
    case budgetSpent = "budget-spent"
    /// A playbook failed too often and was stopped.
    case breakerOpen = "breaker-open"
    /// Somebody undoes our fixes again and again.
    case flapping = "flapping"
    /// A run did not verify, or was refused by the cloud.
    case runFailed = "run-failed"
    /// A run can go neither on nor back.
    case runStuck = "run-stuck"
    /// A hold after an undo has ended: the rule may be fixed again.
    case holdEnded = "hold-ended"
    /// A campaign was stopped by a run that failed.
    case campaignStopped = "campaign-stopped"
    /// A leg of a drill takes longer than it may.
    case drillLate = "drill-late"
    /// A leg of a drill is missing, or the drill could not begin: what is to be seen and fixed may not be.
    case drillFailed = "drill-failed"
}

extension NoticeCode {
    /// What is wrong keeps this service from seeing: no limit on messages holds it up.
    package var isOwnEyes: Bool {
        switch self {
        case .deadLetters, .sourceGap, .sourceFailing, .dataBroken, .eventsFromFuture, .readDenied, .accountUnknown,
            .regionUnknown, .discoveryFailing, .dirtyTooOld, .anchorFailing:
            true
        case .reloadRefused, .reloadWaits, .baselineFindings, .approvalWaiting, .promptFailed, .messageFailed,
            .budgetSpent, .breakerOpen, .flapping, .runFailed, .runStuck, .holdEnded, .campaignStopped,
            .drillLate, .drillFailed:
            false
        }
    }
}
